"""One stream, its stages joined in order. Read this first.

    source ─► sampler ─► (dispatcher ─► predictor) ─► tracker ─► aligner ─► annotator ─► encoder ─► publisher

The source's thread decodes, and resizes the frames the sampler chose; the event loop owns every decision; a thread of
the stream's own draws and encodes, and only while somebody watches.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from av.video.reformatter import VideoReformatter

from serving.resize import Resize
from serving.signature import Contract
from streamer.aligner import Aligner
from streamer.annotator import annotate
from streamer.batcher import Answer, DropReason
from streamer.buffer import Mailbox
from streamer.clock import Clock
from streamer.detections import Detections
from streamer.encoder import EncodedPacket, H264Encoder, encode_jpeg
from streamer.frame import Frame, Sample
from streamer.publisher import Publisher
from streamer.rate import Rate
from streamer.sampler import Sampler
from streamer.source import Source
from streamer.tracker import TrackedBox, Tracker

log = logging.getLogger(__name__)

STALE_PICTURE = 2.0
"""Seconds without a frame after which a stream is called stale."""
STALE_RESULT = 2.0
"""Seconds without an answer, beyond the time between two samples, after which a stream is called stale."""


class Model(Protocol):
    """What a pipeline needs of the model it asks."""

    name: str
    contract: Contract | None
    up: bool
    reason: str | None

    def put(self, sample: Sample, answer: Answer) -> None:
        """Ask about a sample; `answer` is called once."""


@dataclass(slots=True)
class Counts:
    """What happened to one stream's frames. Sampled = results + dropped, always."""

    decoded: int = 0
    skipped: int = 0
    """Not chosen by the sampler, on purpose."""
    sampled: int = 0
    results: int = 0
    annotated: int = 0
    encoded: int = 0
    dropped: dict[tuple[str, str], int] = field(default_factory=dict)
    """By stage and reason."""
    detections: dict[str, int] = field(default_factory=dict)
    """By label."""

    def drop(self, stage: str, reason: str, count: int = 1) -> None:
        """Count frames lost."""
        self.dropped[stage, reason] = self.dropped.get((stage, reason), 0) + count


class Pipeline:
    """One named stream from its source to its viewers."""

    def __init__(
        self,
        source: Source,
        model: Model,
        *,
        sample_fps: float,
        min_score: float | None,
        clock: Clock,
        on_detections: Callable[[Detections], None],
    ) -> None:
        self.name = source.name
        self.source = source
        self.model = model
        self.counts = Counts()
        self.aligner = Aligner()
        self.h264 = Publisher(clock=clock)
        self.jpeg = Publisher(clock=clock, buffered=1)
        self.last: Detections | None = None
        """The newest answer."""
        self.picture_age: float | None = None
        """Seconds from the arrival of the last shown frame to its being encoded; None while nobody watches."""
        self.size: tuple[int, int] | None = None
        """(width, height) of the newest frame, in pixels."""
        self._sample_fps = sample_fps
        self._min_score = min_score
        self._clock = clock
        self._on_detections = on_detections
        self._sampler = Sampler(sample_fps)
        self._tracker = Tracker()
        self._decode_rate, self._result_rate = Rate(), Rate()
        self._reformatter = VideoReformatter()
        self._encoder: H264Encoder | None = None
        self._newest: Frame | None = None
        self._still: tuple[Frame, Detections] | None = None
        self._waiting: dict[int, Frame] = {}
        """Sampled frames whose answer is awaited, by index, so that the still shows the frame that was asked about."""
        self._shown = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"render-{self.name}")
        self._arrivals: Mailbox[tuple[Frame, Sample | None]] | None = None

    # ---- life

    async def run(self) -> None:
        """Run every part until cancelled."""
        self._arrivals = Mailbox(asyncio.get_running_loop(), self._arrived, size=8)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.source.run())
                group.create_task(self._show())
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    # ---- in: the source's thread

    def receive(self, frame: Frame) -> None:
        """Take a frame from the source, in the source's thread."""
        self.counts.decoded += 1
        sample = None
        if self._sampler.take(frame.pts):
            sample = self._sample(frame)
        else:
            self.counts.skipped += 1
        lost = self._arrivals.put((frame, sample)) if self._arrivals is not None else (frame, sample)
        if lost is not None:
            self.counts.drop("pipeline" if lost[1] is None else "sampler", "loop_busy")

    def _sample(self, frame: Frame) -> Sample | None:
        """The frame in the model's own size; the camera's thread pays for its resizing."""
        self.counts.sampled += 1
        contract = self.model.contract
        if contract is None or not self.model.up:
            self.counts.drop("sampler", "model_unavailable")
            return None
        fit = Resize.fit(
            (frame.width, frame.height), (contract.width, contract.height), contract.resize, contract.pad_value
        )
        min_score = contract.min_score if self._min_score is None else self._min_score
        return Sample(frame, fit.apply(frame.rgb(self._reformatter)), min_score)

    # ---- through: the event loop

    def _arrived(self, arrival: tuple[Frame, Sample | None]) -> None:
        frame, sample = arrival
        self._decode_rate.add(frame.received_at)
        if self.size != (frame.width, frame.height):
            self.size = (frame.width, frame.height)
            self._tracker.clear()  # boxes of the old geometry mean nothing in the new one
        self._newest = frame
        if sample is not None:
            self._waiting[frame.index] = frame
            self.model.put(sample, self._answered)
        if self.watched:
            self.aligner.put(frame)
            self._shown.set()

    def _answered(self, sample: Sample, answer: Detections | DropReason) -> None:
        frame = self._waiting.pop(sample.frame.index)
        if not isinstance(answer, Detections):
            self.counts.drop("batcher" if answer != "predict_failed" else "predictor", answer)
            return
        self.counts.results += 1
        for label in answer.labels:
            self.counts.detections[label] = self.counts.detections.get(label, 0) + 1
        self._result_rate.add(answer.answered_at)
        self.aligner.answered(answer.age)
        if self.last is None or answer.pts > self.last.pts:
            self.last, self._still = answer, (frame, answer)
        if self.size == (answer.width, answer.height):
            self._tracker.update(answer)
        self._on_detections(answer)

    # ---- out: the stream's own thread, while somebody watches

    @property
    def watched(self) -> bool:
        """Whether anybody takes the annotated video."""
        return bool(len(self.h264) or len(self.jpeg))

    async def _show(self) -> None:
        """Show each frame when its hold is over."""
        loop = asyncio.get_running_loop()
        while True:
            if not self.watched:
                self._encoder, self.picture_age = None, None
                self.aligner.clear()
            due_at = self.aligner.due_at()
            if due_at is None:
                self._shown.clear()
                await self._shown.wait()
                continue
            await asyncio.sleep(max(0.0, due_at - self._clock()))
            frame = self.aligner.take(self._clock())
            if frame is None:
                continue
            boxes = self._tracker.at(frame.pts)
            try:
                await loop.run_in_executor(self._thread, self._render, frame, boxes, self._notice())
            except Exception:
                self.counts.drop("encoder", "failed")
                self._encoder = None
                log.exception("%s: a frame could not be drawn or encoded", self.name)
                continue
            self.picture_age = self._clock() - frame.received_at

    def _render(self, frame: Frame, boxes: list[TrackedBox], notice: str | None) -> None:
        """Draw and encode one frame for everybody, in the stream's thread."""
        planes = annotate(frame, boxes, notice)
        self.counts.annotated += 1
        if len(self.h264):
            size = (planes.shape[1], planes.shape[0] * 2 // 3)
            keyframe = self.h264.keyframe_due()
            if self._encoder is None or self._encoder.size != size:
                self._encoder, keyframe = H264Encoder(*size, fps=self.fps or 30.0), True
            for packet in self._encoder.encode(planes, frame.pts, keyframe=keyframe):
                self._publish(self.h264, packet)
        if len(self.jpeg):
            self._publish(self.jpeg, encode_jpeg(planes, frame.pts))

    def _publish(self, publisher: Publisher, packet: EncodedPacket) -> None:
        self.counts.encoded += 1
        assert self._arrivals is not None, "frames are rendered while the pipeline runs"
        self._arrivals.loop.call_soon_threadsafe(publisher.publish, packet)

    async def still(self) -> EncodedPacket | None:
        """The newest annotated picture as a JPEG, or None where no frame ever came."""
        notice = self._notice()
        frame, boxes = self._newest, list[TrackedBox]()
        if self._still is not None and notice is None:
            frame = self._still[0]
            boxes = _exactly(self._still[1])
        if frame is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, lambda: encode_jpeg(annotate(frame, boxes, notice)))

    # ---- what is known of it

    @property
    def fps(self) -> float | None:
        """Frames a second as they arrive."""
        return self._decode_rate.at(self._clock())

    def state(self) -> tuple[str, str | None]:
        """(connecting, live, stale or offline; why it is not live, as a sentence)."""
        source = self.source
        if source.state != "live":
            return source.state, source.reason
        now = self._clock()
        silent = now - (source.last_frame_at or now)
        if silent > STALE_PICTURE:
            return "stale", f"no picture from the camera for {silent:.0f} s"
        late = self._results_late(now)
        if late is not None:
            why = self.model.reason or "the model does not keep up"
            return "stale", f"no fresh detections{late}: {why}"
        return "live", None

    def _results_late(self, now: float) -> str | None:
        """How long results have been missing, as words, or None while they are not."""
        if self.last is None:
            return None if self.model.up else ""
        late = now - self.last.answered_at - 1 / self._sample_fps
        return f" for {late:.0f} s" if late > STALE_RESULT else None

    def _notice(self) -> str | None:
        """What is written on the video where its boxes cannot be trusted."""
        late = self._results_late(self._clock())
        return None if late is None else f"no fresh detections{late}"

    def drops(self) -> dict[tuple[str, str], int]:
        """Frames lost by (stage, reason), every bounded buffer on the way included."""
        drops = dict(self.counts.dropped)
        elsewhere = {
            ("source", "late"): self.source.skipped_late,
            ("aligner", "late"): self.aligner.dropped,
        }
        return drops | {key: count for key, count in elsewhere.items() if count}

    def describe(self) -> dict[str, Any]:
        """The stream as the API shows it; numbers are null while unknown."""
        state, reason = self.state()
        now = self._clock()
        width, height = self.size or (None, None)
        live = state == "live"
        return {
            "name": self.name,
            "state": state,
            "reason": reason,
            "width": width,
            "height": height,
            "fps": _rounded(self._decode_rate.at(now)),
            "detections_per_second": _rounded(self._result_rate.at(now)),
            "age_ms": round(self.last.age * 1000, 1) if self.last is not None and live else None,
            "picture_age_ms": None if self.picture_age is None else round(self.picture_age * 1000, 1),
            "hold_ms": round(self.aligner.hold * 1000, 1) if self.watched else None,
            "model": self.model.name,
            "viewers": len(self.h264) + len(self.jpeg),
        }


def _exactly(answer: Detections) -> list[TrackedBox]:
    """The boxes of one answer, as they are."""
    return [
        TrackedBox(0, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), label, int(class_id), float(score))
        for box, label, class_id, score in zip(
            answer.boxes, answer.labels, answer.class_ids, answer.scores, strict=True
        )
    ]


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
