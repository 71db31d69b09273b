"""streamer.stream.pipeline: one stream, joined; its source and its model are moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from serving.signature import Contract
from streamer.inference.batcher import Answer
from streamer.stream.pipeline import STALE_PICTURE, STALE_RESULT, Pipeline
from streamer.values.detections import Detections
from streamer.values.errors import SourceErrorKind
from streamer.values.frame import Frame, Sample
from streamer.values.sampling import Sampling
from streamer.values.state import SourceState
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame, make_picture
from tests.peers.until import until

BOX = (10.0, 10.0, 30.0, 30.0)
FPS = 10
CONTRACT = Contract(
    name="m",
    width=32,
    height=32,
    labels={1: "class 1"},
    resize="stretch",
    pad_value=0,
    min_score=0.5,
    max_batch_size=8,
)


class FakeSource:
    """A source that delivers what a test puts in."""

    reason: str | None = None
    error: SourceErrorKind | None = None
    skipped_late = 0
    state: SourceState = "live"

    def __init__(self) -> None:
        self.name = "line-1"
        self.last_frame_at: float | None = None
        self.reconnects: dict[SourceErrorKind, int] = {}
        self.deliver: Callable[[Frame], None] | None = None

    async def run(self, deliver: Callable[[Frame], None]) -> None:
        """Deliver by hand, until cancelled."""
        self.deliver = deliver
        try:
            await asyncio.Event().wait()
        finally:
            self.deliver = None


class FakeModel:
    """A model that keeps what it was asked, for a test to answer."""

    name = "m"
    contract: Contract | None = CONTRACT
    up = True
    reason: str | None = None

    def __init__(self) -> None:
        self.asked: list[tuple[Sample, Answer]] = []

    def put(self, sample: Sample, answer: Answer) -> None:
        """Keep it."""
        self.asked.append((sample, answer))


class Stream:
    """A pipeline that runs, and its hand-moved ends."""

    def __init__(self, sampling: Sampling) -> None:
        self.clock = FakeClock()
        self.source, self.model = FakeSource(), FakeModel()
        self.told: list[Detections] = []
        self.pipeline = Pipeline(
            self.source, self.model, sampling, clock=self.clock, on_detections=lambda _, found: self.told.append(found)
        )
        self.frames = 0

    async def arrive(self, count: int = 1, size: tuple[int, int] = (64, 48)) -> None:
        """Let frames arrive, ten a second."""
        await until(lambda: self.source.deliver is not None)
        for _ in range(count):
            self.clock.advance(1 / FPS)
            frame = make_frame(self.frames / FPS, self.clock.now, index=self.frames, picture=make_picture(*size))
            self.frames += 1
            self.source.last_frame_at = frame.received_at
            assert self.source.deliver is not None
            self.source.deliver(frame)
            await asyncio.sleep(0)

    def answer(self, *boxes: tuple[float, float, float, float], age: float = 0.05) -> None:
        """Answer what was asked last."""
        sample, answer = self.model.asked.pop()
        frame = sample.frame
        found = make_detections(
            frame.pts, boxes, size=(frame.width, frame.height), received_at=frame.received_at, age=age
        )
        answer(sample, replace(found, model="m"))


@asynccontextmanager
async def run_stream(sampling: Sampling | None = None) -> AsyncIterator[Stream]:
    """A pipeline for as long as the block lasts."""
    stream = Stream(sampling or Sampling(FPS))
    running = asyncio.create_task(stream.pipeline.run())
    try:
        await until(lambda: stream.source.deliver is not None)
        yield stream
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_stream_whose_model_never_answers_is_stale() -> None:
    """A model that is up and answers nothing is told of within seconds, from the first sample on, and not before."""
    async with run_stream() as stream:
        await stream.arrive(round(STALE_RESULT * FPS))
        assert stream.pipeline.state().word == "live"
        assert stream.pipeline.notice() is None
        await stream.arrive(2)
        assert stream.pipeline.state().word == "stale"
        assert stream.pipeline.state().reason == "no detections for 2 s: the model does not keep up"
        assert stream.pipeline.notice() == "no detections for 2 s"
        stream.answer()
        assert stream.pipeline.state().word == "live"


@pytest.mark.parametrize("fps", [FPS, 0.2])
async def test_a_stream_whose_answers_end_is_stale(fps: float) -> None:
    """Answers that end are missed as long after the first sample without one, however seldom is sampled."""
    async with run_stream(Sampling(fps)) as stream:
        await stream.arrive()
        stream.answer(BOX)
        await stream.arrive(round(FPS / fps - 1))
        assert stream.pipeline.state().word == "live"
        await stream.arrive(round((STALE_RESULT + 0.2) * FPS))
        assert stream.pipeline.state().word == "stale"
        assert str(stream.pipeline.notice()).startswith("no fresh detections for ")


async def test_a_camera_that_was_away_says_nothing_of_its_model() -> None:
    """What was not answered before an outage, or a pause, is not held against the model after it."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.clock.advance(100 * STALE_PICTURE)
        await stream.arrive()
        assert stream.pipeline.state().word == "live"
        await stream.pipeline.pause()
        stream.clock.advance(STALE_RESULT + 1)
        assert stream.pipeline.notice() is None
        stream.pipeline.restart()
        await stream.arrive()
        assert stream.pipeline.state().word == "live"


async def test_boxes_of_another_geometry_are_forgotten() -> None:
    """When the camera changes its resolution no box of the old one is drawn, nor one that is answered late."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert len(stream.pipeline._tracker.at(0.0)) == 1
        await stream.arrive()
        late = stream.model.asked.pop()
        await stream.arrive(size=(640, 480))
        assert stream.pipeline._tracker.at(0.2) == []
        stream.model.asked.append(late)
        stream.answer(BOX)
        assert stream.pipeline._tracker.at(0.1) == []


async def test_an_answer_is_told_with_its_stream() -> None:
    """Whoever is told of an answer is told which pipeline asked."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert [found.stream for found in stream.told] == ["line-1"]
        assert stream.pipeline.counts.results == 1
