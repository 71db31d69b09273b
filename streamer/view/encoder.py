"""Annotated pictures become H.264 or VP8 packets or JPEG images, once a stream and codec, whoever watches."""

import math
from fractions import Fraction
from typing import Protocol, cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.values.frame import Planes
from streamer.values.packet import TIME_BASE, EncodedPacket

KEYFRAME_SECONDS = 10
"""A keyframe comes with every new viewer and every loss; the clock only bounds the damage of a lost request."""
JPEG_QUALITY = 80


class Encoder:
    """One stream's video encoder, for pictures of one size. One thread at a time.

    Every picture leaves at once. Bits are given by quality up to a ceiling, since a still scene needs few.
    """

    def __init__(
        self, library: str, width: int, height: int, fps: float, ceiling: float, options: dict[str, str]
    ) -> None:
        """Encode with a library of FFmpeg's, and options of its own; `H264Encoder` and `Vp8Encoder` choose them."""
        self.size = (width, height)
        self.ceiling = int(min(ceiling, worth_of(width, height)))
        """Bits a second that it keeps to."""
        rate = round(min(max(fps, 1.0), 120.0))
        context = cast(VideoCodecContext, av.CodecContext.create(library, "w"))
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = Fraction(rate)
        context.thread_count = 1
        context.options = {
            "maxrate": str(self.ceiling),
            "bufsize": str(self.ceiling // 2),
            "g": str(rate * KEYFRAME_SECONDS),
            **options,
        }
        context.open()
        self._context = context
        self._last_pts = -1

    def encode(self, planes: Planes, pts: float, *, keyframe: bool = False) -> list[EncodedPacket]:
        """Encode one picture.

        Args:
            planes: I420 of the encoder's size.
            pts: seconds, rising.
            keyframe: whether this picture must stand alone (with H.264 an IDR with parameter sets).
        """
        self._last_pts = max(round(pts / TIME_BASE), self._last_pts + 1)
        # Without a copy: the encoder takes one, and has it before the planes are drawn on again. Of rows that are not
        # a multiple of four PyAV 18 leaves out the last two.
        whole = planes.shape[0] % 6 == 0
        made = av.VideoFrame.from_numpy_buffer if whole else av.VideoFrame.from_ndarray
        picture = made(planes, format="yuv420p")
        picture.time_base = TIME_BASE
        picture.pts = self._last_pts
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = self._context.encode(picture)
        return [EncodedPacket(bytes(packet), packet.pts or 0, packet.is_keyframe) for packet in packets]


class EncoderOf(Protocol):
    """Makes an encoder."""

    def __call__(self, width: int, height: int, fps: float = 30.0, ceiling: float = math.inf) -> Encoder:
        """For pictures of that size, at about that rate, of so many bits a second at most."""


class H264Encoder(Encoder):
    """x264. Baseline, without B-frames and lookahead, which every browser decodes."""

    def __init__(self, width: int, height: int, fps: float = 30.0, ceiling: float = math.inf) -> None:
        options = {
            "preset": "superfast" if width * height <= 1280 * 720 else "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": "25",
            "sc_threshold": "0",
            "forced-idr": "1",
            "x264-params": "repeat-headers=1:aud=0",
        }
        super().__init__("libx264", width, height, fps, ceiling, options)


class Vp8Encoder(Encoder):
    """libvpx (RFC 6386), for viewers without H.264. It costs two thirds more than x264, so nobody else gets it."""

    def __init__(self, width: int, height: int, fps: float = 30.0, ceiling: float = math.inf) -> None:
        options = {
            "deadline": "realtime",
            "cpu-used": "8",
            "b": str(int(min(ceiling, worth_of(width, height)))),
            "crf": "20",  # with a bit rate: constrained quality, so that a still scene needs few bits here too
            "qmin": "4",
            "qmax": "56",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "static-thresh": "1",
        }
        super().__init__("libvpx", width, height, fps, ceiling, options)


def worth_of(width: int, height: int) -> float:
    """Bits a second that pictures of a size are given at most, however fast the viewers' lines are."""
    return min(6e6, max(4e5, width * height * 2.4))


def encode_jpeg(planes: Planes, pts: float = 0.0) -> EncodedPacket:
    """One picture as a JPEG. `planes` is I420."""
    image = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of {planes.shape} cannot be a JPEG")
    return EncodedPacket(np.asarray(data).tobytes(), round(pts / TIME_BASE), True)
