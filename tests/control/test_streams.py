"""streamer.control.streams: streams come and go whole, whoever asked for it stays or leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import SeatLimits, Seats
from streamer.control.streams import Streams
from streamer.inference.model import ServedModel
from streamer.stream.pipeline import FrameSource, Pipeline
from streamer.values.clock import monotonic
from streamer.values.errors import Refused, SourceErrorKind
from streamer.values.frame import Frame
from streamer.values.sampling import Sampling
from streamer.values.state import SourceState
from streamer.webrtc.publisher import Publisher
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.until import until


class Idle:
    """A source from which nothing comes."""

    state: SourceState = "connecting"
    reason: str | None = "connecting"
    error: SourceErrorKind | None = None
    last_frame_at: float | None = None
    skipped_late = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.reconnects: dict[SourceErrorKind, int] = {}
        self.running = False

    async def run(self, _: Callable[[Frame], None]) -> None:
        """Wait until cancelled."""
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


@asynccontextmanager
async def run_stream(name: str = "a") -> AsyncIterator[tuple[Streams, Pipeline, Idle]]:
    """Streams of which one runs."""

    def make_publisher(name: str, on_close: Callable[[Publisher], None]) -> tuple[Publisher, Pipeline]:
        publisher = Publisher(name, on_close, clock=monotonic, max_pixels=1920 * 1080, max_fps=60)
        return publisher, make_pipeline(publisher)

    def make_pipeline(source: FrameSource) -> Pipeline:
        return Pipeline(source, model, Sampling(5.0), clock=monotonic, on_detections=lambda *_: None)

    streams = Streams(
        seats=Seats(SeatLimits(8, 8, 8)),
        publishing_rights=PublishingRights(("*",), None, 8),
        make_publisher=make_publisher,
    )
    model = ServedModel(
        "127.0.0.1:1",
        "m",
        max_batch_size=1,
        in_flight=1,
        deadline=1.0,
        clock=monotonic,
        on_call=lambda *_: None,
        on_error=lambda *_: None,
    )
    source = Idle(name)
    pipeline = make_pipeline(source)
    streams.add(pipeline)
    try:
        await until(lambda: source.running)
        yield streams, pipeline, source
    finally:
        await streams.close()
        await model.predictor.close()


async def test_a_removal_goes_on_without_who_asked_for_it() -> None:
    """A stream whose removal was asked for by a client that left is removed all the same, viewers, source and name."""
    async with run_stream() as (streams, pipeline, source):
        viewer = make_pc()
        session, _ = await streams.open_session(pipeline, await offer_to_watch(viewer), "10.0.0.7")
        asked = asyncio.create_task(streams.remove("a"))
        while "a" in streams._tasks:  # noqa: ASYNC110  until it has begun
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await streams.remove("a")
        assert streams.get("a") is None
        assert not streams.is_taken("a")
        assert not source.running
        assert session.id not in streams.sessions
        await viewer.close()


async def test_whoever_removes_second_waits_for_the_first() -> None:
    """When `remove` returns the name is free, also where somebody else had begun to remove the stream."""
    async with run_stream() as (streams, pipeline, _):
        viewer = make_pc()
        await streams.open_session(pipeline, await offer_to_watch(viewer), "10.0.0.7")
        first = asyncio.create_task(streams.remove("a"))
        while "a" in streams._tasks:  # noqa: ASYNC110  until it has begun
            await asyncio.sleep(0)
        await streams.remove("a")
        assert not streams.is_taken("a")
        await first
        await viewer.close()


async def test_nobody_is_let_in_to_a_stream_that_has_ended() -> None:
    """A viewer whose offer comes after the stream's end is told so, and keeps no place."""
    async with run_stream() as (streams, pipeline, _):
        viewer = make_pc()
        offer = await offer_to_watch(viewer)
        await streams.remove("a")
        with pytest.raises(Refused, match="the stream 'a' has just ended") as refused:
            await streams.open_session(pipeline, offer, "10.0.0.7")
        assert refused.value.status == 404
        assert len(streams.seats) == 0
        assert streams.sessions == {}
        await viewer.close()


async def offer_to_publish() -> str:
    """A publisher's offer, of whom nothing more is heard."""
    pc = make_pc()
    pc.addTransceiver("video", direction="sendonly")
    await pc.setLocalDescription(await pc.createOffer())
    offer = str(pc.localDescription.sdp)
    await pc.close()
    return offer


async def test_a_name_is_free_when_it_has_been_freed() -> None:
    """A publisher that waited for the name is sent away too, and does not come between."""
    async with run_stream() as (streams, _, _):
        await streams.open_publisher("p", await offer_to_publish())
        offer = await offer_to_publish()
        ending = asyncio.create_task(streams.remove("p"))
        while "p" in streams._tasks:  # noqa: ASYNC110  until it has begun
            await asyncio.sleep(0)
        coming = asyncio.create_task(streams.open_publisher("p", offer))
        await asyncio.sleep(0)  # it waits now
        await streams.free("p")
        assert not streams.is_taken("p")
        [_, refused] = await asyncio.gather(ending, coming, return_exceptions=True)
        assert isinstance(refused, Refused)
