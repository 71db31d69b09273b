"""streamer.control.streams: streams come and go whole, whoever asked for it stays or leaves."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import SeatLimits, Seats
from streamer.control.streams import ABANDONED_AFTER, Streams
from streamer.inference.model import ServedModel
from streamer.stream.frame_source import FrameSource
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import Clock, monotonic
from streamer.values.coded import OnCoded, OnSound
from streamer.values.depth import WHOLE, Depth
from streamer.values.errors import Overloaded, Refused, SourceErrorKind
from streamer.values.frame import Frame
from streamer.values.sampling import Sampling
from streamer.values.state import SourceState
from streamer.webrtc.publisher import Publisher
from tests.peers.clock import FakeClock
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.until import until


class Idle:
    """A source from which nothing comes."""

    state: SourceState = "connecting"
    reason: str | None = "connecting"
    error: SourceErrorKind | None = None
    last_frame_at: float | None = None
    skipped_late = 0
    on_coded: OnCoded | None = None
    on_sound: OnSound | None = None
    depth: Callable[[], Depth] = staticmethod(lambda: WHOLE)

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
async def run_stream(
    name: str = "a",
    clock: Clock = monotonic,
    on_restart: Callable[[], None] = lambda: None,
    places: int = 8,
) -> AsyncIterator[tuple[Streams, Pipeline, Idle]]:
    """Streams of which one runs."""

    def make_publisher(name: str, on_close: Callable[[Publisher], None]) -> tuple[Publisher, Pipeline]:
        publisher = Publisher(name, on_close, clock=clock, max_pixels=1920 * 1080, max_fps=60)
        return publisher, make_pipeline(publisher)

    def make_pipeline(source: FrameSource) -> Pipeline:
        return Pipeline(source, model, Sampling(5.0), clock=clock, on_detections=lambda *_: None)

    streams = Streams(
        seats=Seats(SeatLimits(places, places, places)),
        publishing_rights=PublishingRights(("*",), 8),
        make_publisher=make_publisher,
        on_restart=on_restart,
        clock=clock,
    )
    model = ServedModel(
        "127.0.0.1:1",
        "m",
        max_batch_size=1,
        in_flight=1,
        deadline=1.0,
        clock=clock,
        on_call=lambda *_: None,
        on_error=lambda *_: None,
        on_restart=lambda: None,
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


async def test_everybody_is_told_of_a_streams_end(caplog: pytest.LogCaptureFixture) -> None:
    """A stream ends for all who want to know, and its remains are collected, whatever one of them raises."""
    async with run_stream() as (streams, _, _):
        gone: list[str] = []
        streams.on_removed += [lambda name: gone.remove(name), gone.append]
        await streams.remove("a")
        assert gone == ["a"]
        assert streams._collection is not None
    assert "the end of stream a could not be taken note of" in caplog.text


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


async def test_offers_that_come_to_nothing_keep_nobody_out() -> None:
    """Answers nobody takes up fill one address's places alone; another's viewer gets in, and keeps what it got."""
    async with run_stream(places=2) as (streams, pipeline, _):
        viewer = make_pc()
        offer = await offer_to_watch(viewer)
        for _ in range(2):
            await streams.open_session(pipeline, offer, "10.0.0.7")
        with pytest.raises(Overloaded):
            await streams.open_session(pipeline, offer, "10.0.0.7")
        session, answer = await streams.open_session(pipeline, offer, "10.0.0.8")
        await take_answer(viewer, answer)
        await until(lambda: session.arrived)
        await session.close()
        assert streams.never_came("a") == 0
        for waiting in tuple(streams.sessions.values()):
            await waiting.close()
        assert streams.never_came("a") == 2
        assert len(streams.seats) == 0
        await viewer.close()


async def test_who_connects_too_late_is_sent_away() -> None:
    """Of two who were on their way to the last place the first to be there has it, and the other's session ends."""
    async with run_stream(places=1) as (streams, pipeline, _):
        viewers = [make_pc(), make_pc()]
        answers = [
            await streams.open_session(pipeline, await offer_to_watch(viewer), f"10.0.0.{number}")
            for number, viewer in enumerate(viewers)
        ]
        (first, one), (second, other) = answers
        await take_answer(viewers[0], one)
        await until(lambda: first.arrived)
        await take_answer(viewers[1], other)
        await until(lambda: second.id not in streams.sessions)
        assert list(streams.sessions) == [first.id]
        assert len(streams.seats) == 1
        for viewer in viewers:
            await viewer.close()


async def test_who_leaves_as_he_arrives_keeps_no_place() -> None:
    """aiortc tells of a connection a turn later: a session that has been ended by then gets no place by that."""
    async with run_stream() as (streams, pipeline, _):
        viewer = make_pc()
        session, answer = await streams.open_session(pipeline, await offer_to_watch(viewer), "10.0.0.1")
        await take_answer(viewer, answer)
        await until(lambda: session.arrived)
        leaving = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        assert (session.id in streams.sessions, session._peer.pc.connectionState) == (False, "connected")
        await session._peer._state_changed()
        await leaving
        await viewer.close()
        assert len(streams.seats) == 0


async def test_who_is_refused_costs_no_reading() -> None:
    """An offer for which there is no place is not read, and one that cannot be read gives its place back."""
    async with run_stream(places=1) as (streams, pipeline, _):
        with pytest.raises(Refused):
            await streams.open_session(pipeline, "v=0", "10.0.0.7")
        assert len(streams.seats) == 0
        streams.seats.sit("a", "10.0.0.7")
        with pytest.raises(Overloaded):
            await streams.open_session(pipeline, "v=0", "10.0.0.7")


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


@pytest.mark.parametrize("before", ["nobody", "a silent publisher", "a silent publisher without its answer"])
async def test_of_many_who_want_a_name_at_once_one_has_it(before: str) -> None:
    """A phone that offers again and again while its old session is silent has one offer answered; the rest are 409."""
    clock = FakeClock()
    offers = [await offer_to_publish() for _ in range(4)]
    async with run_stream(clock=clock) as (streams, _, _):
        old = asyncio.create_task(streams.open_publisher("p", await offer_to_publish()))
        while "p" not in {publisher.name for publisher in streams.publishers.values()}:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if before != "a silent publisher without its answer":
            await old
        if before == "nobody":
            await streams.free("p")
        clock.advance(ABANDONED_AFTER)
        opening = [streams.open_publisher("p", offer) for offer in offers]
        outcomes = await asyncio.gather(*opening, return_exceptions=True)
        [winner] = [outcome[0] for outcome in outcomes if isinstance(outcome, tuple)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        assert [refused.status for refused in refusals] == [409] * 3
        assert {str(refused) for refused in refusals} == {"somebody publishes 'p' already; publish under another name"}
        assert list(streams.publishers.values()) == [winner]
        pipeline = streams.get("p")
        assert pipeline is not None
        assert pipeline.source is winner
        await streams.close_publisher(winner)
        assert not streams.is_taken("p")
        assert streams.publishers == {}
        await asyncio.gather(old, return_exceptions=True)


@pytest.mark.parametrize("turns", range(0, 12, 3))
async def test_the_end_of_a_session_takes_no_stream_but_its_own(turns: int) -> None:
    """A publisher whose name a configured stream takes before its answer is told so, and leaves that stream alone."""
    async with run_stream() as (streams, pipeline, source):
        await streams.remove("a")
        opening = asyncio.create_task(streams.open_publisher("a", await offer_to_publish()))
        for _ in range(turns):
            await asyncio.sleep(0)
        publishers = list(streams.publishers.values())
        await streams.free("a")
        streams.add(pipeline)
        [outcome] = await asyncio.gather(opening, return_exceptions=True)
        assert isinstance(outcome, Refused)
        assert outcome.status == 409
        for publisher in publishers:
            await streams.close_publisher(publisher)
        await until(lambda: source.running)
        assert streams.get("a") is pipeline
        assert streams.publishers == {}


@pytest.mark.parametrize("turns", range(0, 12, 3))
async def test_a_stream_that_ends_while_a_viewer_comes_leaves_no_viewer(turns: int) -> None:
    """However far its answer had come, a viewer of a stream that is removed is refused or ended, and keeps no place."""
    async with run_stream() as (streams, pipeline, _):
        viewer = make_pc()
        opening = asyncio.create_task(streams.open_session(pipeline, await offer_to_watch(viewer), "10.0.0.7"))
        for _ in range(turns):
            await asyncio.sleep(0)
        await streams.remove("a")
        [outcome] = await asyncio.gather(opening, return_exceptions=True)
        assert not isinstance(outcome, Refused) or outcome.status == 404
        assert isinstance(outcome, Refused | tuple)
        assert (len(streams.seats), streams.sessions) == (0, {})
        await viewer.close()


@pytest.mark.parametrize("turns", range(0, 12, 3))
async def test_a_service_that_stops_lets_nobody_in(turns: int) -> None:
    """Who comes or waits while everything is being stopped is told so, and begins nothing behind its back."""
    async with run_stream() as (streams, pipeline, _):
        viewer = make_pc()
        opening = [
            asyncio.create_task(streams.open_publisher("p", await offer_to_publish())),
            asyncio.create_task(streams.open_session(pipeline, await offer_to_watch(viewer), "10.0.0.7")),
        ]
        for _ in range(turns):
            await asyncio.sleep(0)
        closing = asyncio.create_task(streams.close())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="the service is stopping"):
            await streams.open_publisher("q", await offer_to_publish())
        await closing
        for outcome in await asyncio.gather(*opening, return_exceptions=True):
            assert isinstance(outcome, Overloaded | Refused | tuple)
        assert (list(streams), streams.publishers, streams.sessions, len(streams.seats)) == ([], {}, {}, 0)
        await viewer.close()


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_comes_between_every_publisher_has_one_stream(seed: int) -> None:
    """Offers, hang-ups, ends and streams of the configuration, in any order, leave a stream a publisher and no more."""
    chance, clock, tasks = random.Random(seed), FakeClock(), asyncio.all_tasks()
    async with run_stream(clock=clock) as (streams, pipeline, _):
        await streams.remove("a")
        doing: list[asyncio.Task[object]] = []

        async def configure() -> None:
            await streams.free("a")
            streams.add(pipeline)
            await asyncio.sleep(0)
            await streams.remove("a")

        for _ in range(8):
            match chance.randrange(5):
                case 0 | 1:
                    doing.append(asyncio.create_task(streams.open_publisher("a", await offer_to_publish())))
                case 2 if doing:
                    chance.choice(doing).cancel()
                case 3 if streams.publishers:
                    leaving = chance.choice(list(streams.publishers.values()))
                    doing.append(asyncio.create_task(streams.close_publisher(leaving)))
                case 4:
                    doing.append(asyncio.create_task(configure()))
            if chance.random() < 0.3:
                clock.advance(ABANDONED_AFTER)
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)
        for outcome in await asyncio.gather(*doing, return_exceptions=True):
            assert not isinstance(outcome, Exception) or (isinstance(outcome, Refused) and outcome.status == 409)
        await asyncio.gather(*streams._removals.values())
        assert [stream.source for stream in streams] == list(streams.publishers.values())
        assert len(streams.publishers) <= 1
    await until(lambda: asyncio.all_tasks() <= tasks)


async def test_a_stream_that_fails_is_run_again_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that ends in a way nobody foresaw begins anew, and whoever counts such ends is told."""
    monkeypatch.setattr("streamer.control.streams.PAUSE", 0.0)
    told: list[str] = []
    async with run_stream(on_restart=lambda: told.append("restarted")) as (streams, _, source):
        broken = Idle("b")
        failures = [RuntimeError("nobody foresaw this")]

        async def run(_: Callable[[Frame], None]) -> None:
            if failures:
                raise failures.pop()
            await source.run(_)

        monkeypatch.setattr(broken, "run", run)
        running = Pipeline(
            broken, next(iter(streams)).model, Sampling(5.0), clock=monotonic, on_detections=lambda *_: None
        )
        source.running = False
        streams.add(running)
        await until(lambda: source.running)
        assert told == ["restarted"]


class Shared:
    """The names of a cluster, each given when a gate opens."""

    def __init__(self) -> None:
        self.asked = 0
        self.had: set[str] = set()
        self.gate = asyncio.Event()

    async def claim(self, stream: str) -> None:
        """Give a name."""
        self.asked += 1
        self.had.add(stream)
        await self.gate.wait()

    def let_go(self, stream: str) -> None:
        """Take it back."""
        self.had.discard(stream)


async def test_a_publisher_who_leaves_while_his_name_is_asked_for_keeps_it_from_nobody() -> None:
    """But from one who came at the same time it is not taken."""
    async with run_stream() as (streams, _, _):
        streams.names = names = Shared()
        offers = [await offer_to_publish() for _ in range(2)]
        first, second = (asyncio.create_task(streams.open_publisher("p", offer)) for offer in offers)
        await until(lambda: names.asked == 2)
        assert streams.is_asked_for("p")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert names.had == {"p"}
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert names.had == set()
        assert not streams.is_taken("p")
        assert not streams.is_asked_for("p")
