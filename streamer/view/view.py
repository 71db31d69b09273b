"""What viewers see of one stream: frames held until their boxes are known, drawn on, encoded once, and fanned out.

    frames, boxes for a moment ─► aligner ─► annotator ─► encoder ─► fan-out

A thread of the stream's own draws and encodes, and only while somebody watches.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from streamer.values.packet import EncodedPacket
from streamer.values.showing import Showing
from streamer.values.track import TrackedBox, boxes_of
from streamer.view.aligner import Aligner
from streamer.view.encoder import worth_of
from streamer.view.fanout import FanOut
from streamer.view.renderer import Rendered, Renderer, Wish
from streamer.view.still import Still, Wanted

BoxesAt = Callable[[float], Sequence[TrackedBox]]
"""Where everything is in the frame at a pts, in its pixels."""


class Witness(Protocol):
    """Is told on the event loop what viewers see, frame by frame; must neither wait nor raise."""

    def answered(self, frame: Frame, detections: Detections) -> None:
        """A sampled frame's detections came."""

    def shown(self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> None:
        """A frame was published with these boxes, in its pixels, and this notice drawn on it."""


class View:
    """The annotated side of one stream."""

    def __init__(self, name: str, *, clock: Clock) -> None:
        self.name = name
        self.aligner = Aligner()
        self.h264 = FanOut(clock=clock)
        self.vp8 = FanOut(clock=clock)
        self.jpeg = FanOut(clock=clock, buffered=1)
        self.age: float | None = None
        """Seconds from the arrival of the last shown frame to its being encoded; None while nobody watches."""
        self.annotated = 0
        self.encoded = 0
        self.show_ids = False
        """Whether the labels say which thing is which."""
        self.in_time = 0
        """Answers that came before their own frame was drawn, while somebody watched."""
        self.late = 0
        """Answers that came after it."""
        self.witness: Witness | None = None
        self.on_shown: Callable[[Showing], None] | None = None
        """Told on the event loop of each picture that viewers were given; must not wait."""
        self._clock = clock
        self._drawn = -math.inf
        """The pts of the newest frame that was drawn."""
        self._newest: Frame | None = None
        self._fps: float | None = None
        self._sampled: tuple[Frame, Detections] | None = None
        self._still = Still()
        self._renderer = self._new_renderer()
        self._mishaps = Mishaps(
            f"{name}: frames cannot be drawn or encoded", clock=clock, on_each=lambda: self._renderer.rest()
        )
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
    def codecs(self) -> frozenset[str]:
        """What is being encoded in: of "h264", "vp8" and "jpeg"."""
        return self._renderer.codecs

    @property
    def ceilings(self) -> dict[str, int]:
        """Bits a second that each video encoder at work keeps to, by codec."""
        return self._renderer.ceilings()

    @property
    def failed(self) -> int:
        """Frames that could not be drawn, encoded or fanned out."""
        return self._mishaps.count

    @property
    def dropped(self) -> int:
        """Packets that viewers were too slow for."""
        return self.h264.dropped + self.vp8.dropped + self.jpeg.dropped

    def put(self, frame: Frame, fps: float | None = None) -> None:
        """A frame came from the source, which delivers so many a second as far as is known."""
        self._newest, self._fps = frame, fps
        if self.watched:
            if not self.aligner.put(frame):
                return
        elif self.age is None:
            return
        self._arrived.set()  # to show a frame, or to notice that the last viewer has left

    def asked(self, frame: Frame) -> None:
        """The model is asked about a frame."""
        if self.watched:
            self.aligner.asked(frame)

    def answered(self, frame: Frame, detections: Detections) -> None:
        """A sampled frame's detections came."""
        now = self._clock()
        self.aligner.answered(now - frame.received_at, now)
        if self.aligner.settled(frame):
            self._arrived.set()
        if self.watched:
            self.in_time += frame.pts > self._drawn
            self.late += frame.pts <= self._drawn
        if self._sampled is None or detections.pts > self._sampled[1].pts:
            self._sampled = (frame, detections)
        if self.witness is not None:
            self.witness.answered(frame, detections)

    async def run(self, boxes_at: BoxesAt, notice: Callable[[], str | None]) -> None:
        """Show each frame when its hold is over, until cancelled. `notice` says what to write on the picture."""
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"view-{self.name}")
        try:
            while True:
                if not self.watched:
                    self._renderer.rest()
                    self.age = None
                    self.aligner.clear()
                await self._until(self.aligner.due_at())
                frame = self.aligner.take(self._clock())
                if frame is not None:
                    with self._mishaps:
                        await self._show(frame, boxes_at(frame.pts), notice(), thread)
        finally:
            # Not joined: a 4K picture in work takes half a second, for which the whole service would stand still.
            thread.shutdown(wait=False, cancel_futures=True)
            # And it may be at work with these encoders: whoever runs this again has others.
            self._renderer = self._new_renderer()

    async def still(self, notice: str | None) -> EncodedPacket | None:
        """The newest annotated picture as a JPEG, or None where no frame ever came.

        That is the newest frame the model answered, with its own boxes; with a notice, the newest frame without any.
        """
        return await self._still.of(lambda: self._pictured(notice))

    def _pictured(self, notice: str | None) -> Wanted | None:
        """What a still shows now."""
        if self._sampled is not None and notice is None:
            frame, detections = self._sampled
            return frame, tuple(boxes_of(detections)), None, self.show_ids
        return None if self._newest is None else (self._newest, (), notice, self.show_ids)

    async def _until(self, due_at: float | None) -> None:
        """Wait until then, or until a frame arrives by which one is due sooner; None: until one arrives."""
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due_at is None else max(0.0, due_at - self._clock())):
                await self._arrived.wait()

    def _new_renderer(self) -> Renderer:
        return Renderer(self.h264, self.vp8, self.jpeg)

    def _wanted(self, frame: Frame) -> dict[FanOut, Wish]:
        """What somebody takes of this frame, and how it is to be."""
        worth, fan_outs = worth_of(frame.width, frame.height), (self.h264, self.vp8, self.jpeg)
        return {each: Wish(each.keyframe_due(), each.ceiling(worth)) for each in fan_outs if len(each)}

    async def _show(
        self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None, thread: ThreadPoolExecutor
    ) -> None:
        drawn_at, self._drawn = self._clock(), frame.pts
        # All that the thread is to know goes with the frame: what is asked for may change meanwhile.
        render = partial(self._renderer.render, frame, boxes, notice, self._fps, self._wanted(frame), self.show_ids)
        encoded, encoded_at = await asyncio.get_running_loop().run_in_executor(thread, _timed, render, self._clock)
        for fan_out, packet in encoded:
            fan_out.publish(packet)
        published_at = self._clock()
        self.annotated += 1
        self.encoded += len(encoded)
        self.age = published_at - frame.received_at
        if self.witness is not None:
            self.witness.shown(frame, boxes, notice)
        if self.on_shown is not None and encoded:
            self.on_shown(Showing(frame, drawn_at, encoded_at, published_at, encoded[0][1].pts))


def _timed(render: Callable[[], Rendered], clock: Clock) -> tuple[Rendered, float]:
    """What is to be published where, and when that was done. In the view's thread."""
    return render(), clock()
