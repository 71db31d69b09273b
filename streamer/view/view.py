"""What viewers see of one stream: frames held until their boxes are known, drawn on, encoded once, and published.

    frames, detections ─► tracker ─► aligner ─► annotator ─► encoder ─► fan_out

A thread of the stream's own draws and encodes, and only while somebody watches.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from av.video.reformatter import VideoReformatter

from streamer.tracking.tracker import Tracker
from streamer.values.clock import Clock
from streamer.values.detections import Detections, TrackedBox, boxes_of
from streamer.values.frame import Frame, Planes
from streamer.values.packet import EncodedPacket
from streamer.view.aligner import Aligner
from streamer.view.annotator import annotate
from streamer.view.encoder import Encoder, EncoderOf, H264Encoder, Vp8Encoder, encode_jpeg
from streamer.view.fanout import FanOut

log = logging.getLogger(__name__)


class Witness(Protocol):
    """Is told on the event loop what viewers see, frame by frame; must neither wait nor raise."""

    def answered(self, frame: Frame, detections: Detections) -> None:
        """A sampled frame's detections came."""

    def shown(self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> None:
        """A frame was published with these boxes, in its pixels, and this notice drawn on it."""


class View:
    """The annotated side of one stream."""

    def __init__(self, name: str, *, clock: Clock, fps: Callable[[], float | None]) -> None:
        self.name = name
        self.aligner = Aligner()
        self.h264 = FanOut(clock=clock)
        self.vp8 = FanOut(clock=clock)
        self.jpeg = FanOut(clock=clock, buffered=1)
        self.age: float | None = None
        """Seconds from the arrival of the last shown frame to its being encoded; None while nobody watches."""
        self.annotated = 0
        self.encoded = 0
        self.failed = 0
        """Frames that could not be drawn or encoded."""
        self.witness: Witness | None = None
        self._clock = clock
        self._fps = fps
        self._tracker = Tracker()
        self._reformatter = VideoReformatter()
        self._encoders: dict[FanOut, Encoder] = {}
        """At work: one a codec that somebody watches."""
        self._size: tuple[int, int] | None = None
        self._newest: Frame | None = None
        self._sampled: tuple[Frame, Detections] | None = None
        self._arrived = asyncio.Event()

    @property
    def watched(self) -> bool:
        """Whether anybody takes the annotated video."""
        return self.viewers > 0

    @property
    def viewers(self) -> int:
        """Whoever takes it, by WebRTC or MJPEG."""
        return len(self.h264) + len(self.vp8) + len(self.jpeg)

    @property
    def dropped(self) -> int:
        """Packets that viewers were too slow for."""
        return self.h264.dropped + self.vp8.dropped + self.jpeg.dropped

    def put(self, frame: Frame) -> None:
        """A frame came from the source."""
        if self._size != (frame.width, frame.height):
            self._size = (frame.width, frame.height)
            self._tracker.clear()  # boxes of the old geometry mean nothing in the new one
        self._newest = frame
        if self.watched:
            self.aligner.put(frame)
        elif not self._encoders and self.age is None:
            return
        self._arrived.set()  # to show it, or to notice that the last viewer has left

    def answered(self, frame: Frame, detections: Detections) -> None:
        """A sampled frame's detections came."""
        self.aligner.answered(detections.age)
        if self._sampled is None or detections.pts > self._sampled[1].pts:
            self._sampled = (frame, detections)
        if self._size == (detections.width, detections.height):
            self._tracker.update(detections)
        if self.witness is not None:
            self.witness.answered(frame, detections)

    async def run(self, notice: Callable[[], str | None]) -> None:
        """Show each frame when its hold is over, until cancelled. `notice` says what to write on the picture."""
        with ThreadPoolExecutor(1, thread_name_prefix=f"view-{self.name}") as thread:
            while True:
                if not self.watched:
                    self._encoders, self.age = {}, None
                    self.aligner.clear()
                due_at = self.aligner.due_at()
                if due_at is None:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                await asyncio.sleep(max(0.0, due_at - self._clock()))
                frame = self.aligner.take(self._clock())
                if frame is not None:
                    await self._show(frame, notice(), thread)

    async def still(self, notice: str | None) -> EncodedPacket | None:
        """The newest annotated picture as a JPEG, or None where no frame ever came.

        That is the newest frame the model answered, with its own boxes; with a notice, the newest frame without any.
        """
        frame, boxes = self._newest, list[TrackedBox]()
        if self._sampled is not None and notice is None:
            frame, boxes = self._sampled[0], boxes_of(self._sampled[1])
        if frame is None:
            return None
        return await asyncio.to_thread(_draw_jpeg, frame, boxes, notice)

    async def _show(self, frame: Frame, notice: str | None, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        boxes = self._tracker.at(frame.pts)
        try:
            encoded = await loop.run_in_executor(thread, self._render, frame, boxes, notice)
        except Exception:
            self.failed += 1
            self._encoders = {}
            log.exception("%s: a frame could not be drawn or encoded", self.name)
            return
        for fan_out, packet in encoded:
            fan_out.publish(packet)
        self.annotated += 1
        self.encoded += len(encoded)
        self.age = self._clock() - frame.received_at
        if self.witness is not None:
            self.witness.shown(frame, boxes, notice)

    def _render(
        self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None
    ) -> list[tuple[FanOut, EncodedPacket]]:
        """Draw and encode one frame for everybody, in the stream's thread."""
        planes = annotate(frame, boxes, notice, self._reformatter)
        encoded: list[tuple[FanOut, EncodedPacket]] = []
        coders: tuple[tuple[FanOut, EncoderOf], ...] = ((self.h264, H264Encoder), (self.vp8, Vp8Encoder))
        for fan_out, encoder_of in coders:
            if len(fan_out):
                packets = self._encode(fan_out, encoder_of, planes, frame.pts)
                encoded += [(fan_out, packet) for packet in packets]
            else:
                self._encoders.pop(fan_out, None)
        if len(self.jpeg):
            encoded.append((self.jpeg, encode_jpeg(planes, frame.pts)))
        return encoded

    def _encode(self, fan_out: FanOut, encoder_of: EncoderOf, planes: Planes, pts: float) -> list[EncodedPacket]:
        size = (planes.shape[1], planes.shape[0] * 2 // 3)
        keyframe = fan_out.keyframe_due()
        encoder = self._encoders.get(fan_out)
        if encoder is None or encoder.size != size:
            encoder, keyframe = encoder_of(*size, fps=self._fps() or 30.0), True
            self._encoders[fan_out] = encoder
        return encoder.encode(planes, pts, keyframe=keyframe)


def _draw_jpeg(frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> EncodedPacket:
    return encode_jpeg(annotate(frame, boxes, notice), frame.pts)
