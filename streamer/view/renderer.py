"""One frame drawn and encoded for everybody who watches, in whatever codec they take. Serves one thread."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from av.video.reformatter import VideoReformatter

from streamer.values.frame import Frame, Planes
from streamer.values.packet import TIME_BASE, EncodedPacket
from streamer.values.track import TrackedBox
from streamer.view.annotator import annotate
from streamer.view.encoder import Encoder, EncoderOf, H264Encoder, Vp8Encoder, encode_jpeg, worth_of
from streamer.view.fanout import FanOut

DEFAULT_FPS = 30.0
"""Frames a second an encoder is made for while nobody knows better."""


class Wish(NamedTuple):
    """How a picture is wanted in one codec."""

    keyframe: bool
    """It must stand alone."""
    ceiling: float = math.inf
    """Bits a second that viewers' lines take."""


Rendered = list[tuple[FanOut, EncodedPacket]]
"""What is to be published where: one picture, at one pts in every codec."""


class Renderer:
    """The encoders of one stream, each at work while somebody takes its codec."""

    def __init__(self, h264: FanOut, vp8: FanOut, jpeg: FanOut) -> None:
        self._coders: tuple[tuple[str, FanOut, EncoderOf], ...] = (
            ("h264", h264, H264Encoder),
            ("vp8", vp8, Vp8Encoder),
        )
        self._jpeg = jpeg
        self.codecs: frozenset[str] = frozenset()
        """What the newest frame was encoded in: of "h264", "vp8" and "jpeg". Replaced whole, for any thread to read."""
        self._encoders: dict[FanOut, Encoder] = {}
        self._reformatter = VideoReformatter()
        self._last_pts = -1
        """Of the newest picture, in TIME_BASE: it rises, whatever becomes of the encoders."""

    def __len__(self) -> int:
        """Video encoders at work."""
        return len(self._encoders)

    def ceilings(self) -> dict[str, int]:
        """Bits a second that each video encoder at work keeps to, by codec."""
        made = dict(self._encoders)
        return {codec: made[fan_out].ceiling for codec, fan_out, _ in self._coders if fan_out in made}

    def rest(self) -> None:
        """Give up every encoder: nobody watches, or one of them failed."""
        self._encoders.clear()
        self.codecs = frozenset()

    def render(
        self,
        frame: Frame,
        boxes: Sequence[TrackedBox],
        notice: str | None,
        fps: float | None,
        wanted: Mapping[FanOut, Wish],
        show_ids: bool = False,
    ) -> Rendered:
        """Draw and encode one frame; gives what is to be published where.

        Args:
            frame: to be drawn on a copy of.
            boxes: in its pixels.
            notice: written on it; None: nothing.
            fps: frames a second the stream has, as far as is known.
            wanted: what is taken, and how. Another ceiling costs a keyframe.
            show_ids: say which thing is which.
        """
        planes = annotate(frame, boxes, notice, self._reformatter, show_ids=show_ids)
        encoded: Rendered = []
        self._last_pts = max(round(frame.pts / TIME_BASE), self._last_pts + 1)
        pts = float(self._last_pts * TIME_BASE)
        codecs: set[str] = set()
        for codec, fan_out, encoder_of in self._coders:
            if fan_out not in wanted:
                self._encoders.pop(fan_out, None)
                continue
            wish = wanted[fan_out]
            encoder, begins = self._encoder(fan_out, encoder_of, planes, fps or DEFAULT_FPS, wish.ceiling)
            packets = encoder.encode(planes, pts, keyframe=begins or wish.keyframe)
            encoded += [(fan_out, packet) for packet in packets]
            codecs.add(codec)
        if self._jpeg in wanted:
            encoded.append((self._jpeg, encode_jpeg(planes, pts)))
            codecs.add("jpeg")
        self.codecs = frozenset(codecs)
        return encoded

    def _encoder(
        self, fan_out: FanOut, encoder_of: EncoderOf, planes: Planes, fps: float, ceiling: float
    ) -> tuple[Encoder, bool]:
        """The encoder for pictures of this size that keeps to this ceiling, and whether it is a new one.

        FFmpeg's x264 would take another ceiling as it runs, but PyAV has no way to tell it, and libvpx takes none.
        """
        size = (planes.shape[1], planes.shape[0] * 2 // 3)
        encoder = self._encoders.get(fan_out)
        if encoder is not None and encoder.size == size and encoder.ceiling == int(min(ceiling, worth_of(*size))):
            return encoder, False
        self._encoders[fan_out] = encoder = encoder_of(*size, fps=fps, ceiling=ceiling)
        return encoder, True
