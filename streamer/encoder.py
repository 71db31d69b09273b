"""Annotated pictures become H.264 packets or JPEG images, once a stream, whoever watches."""

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from streamer.frame import Planes
from streamer.packet import TIME_BASE, EncodedPacket

KEYFRAME_SECONDS = 10
"""A keyframe comes with every new viewer and every loss; the clock only bounds the damage of a lost request."""
JPEG_QUALITY = 80


class H264Encoder:
    """One stream's x264, for pictures of one size. One thread at a time.

    Baseline without B-frames and lookahead: every picture leaves at once and every browser decodes it. Bits are given
    by quality up to a ceiling, since a still scene needs few.
    """

    def __init__(self, width: int, height: int, fps: float = 30.0) -> None:
        self.size = (width, height)
        ceiling = int(min(6e6, max(4e5, width * height * 2.4)))
        rate = Fraction(round(min(max(fps, 1.0), 120.0)), 1)
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = rate
        context.thread_count = 1
        context.options = {
            "preset": "superfast" if width * height <= 1280 * 720 else "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": "25",
            "maxrate": str(ceiling),
            "bufsize": str(ceiling // 2),
            "g": str(int(rate * KEYFRAME_SECONDS)),
            "sc_threshold": "0",
            "forced-idr": "1",
            "x264-params": "repeat-headers=1:aud=0",
        }
        context.open()
        self._context = context
        self._last_pts = -1

    def encode(self, planes: Planes, pts: float, *, keyframe: bool = False) -> list[EncodedPacket]:
        """Encode one picture.

        Args:
            planes: I420 of the encoder's size.
            pts: seconds, rising.
            keyframe: whether this picture must stand alone (an IDR with parameter sets).
        """
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.time_base = TIME_BASE
        picture.pts = self._last_pts = max(round(pts / TIME_BASE), self._last_pts + 1)
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        return [
            EncodedPacket(bytes(packet), packet.pts or 0, packet.is_keyframe)
            for packet in self._context.encode(picture)
        ]


def encode_jpeg(planes: Planes, pts: float = 0.0) -> EncodedPacket:
    """One picture as a JPEG. `planes` is I420."""
    image = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of {planes.shape} cannot be a JPEG")
    return EncodedPacket(np.asarray(data).tobytes(), round(pts / TIME_BASE), True)
