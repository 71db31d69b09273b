"""The running pipelines by name: add, remove, list; one task each. With who watches them, and who publishes some."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import Seat, Seats
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import Clock, monotonic
from streamer.values.ending import announce, ended
from streamer.values.errors import Overloaded, Refused
from streamer.values.supervision import PAUSE, supervise
from streamer.webrtc.loading import loaded
from streamer.webrtc.traffic import Traffic

if TYPE_CHECKING:
    from streamer.webrtc.publisher import Publisher
    from streamer.webrtc.sdp import Offer
    from streamer.webrtc.viewer import Codec, Feed, Viewer

log = logging.getLogger(__name__)

ABANDONED_AFTER = 3.0
"""Seconds of a publisher's silence after which another may take its name: itself, most likely, on another network."""

TAKEN = {"Retry-After": "5"}
"""What a publisher is told whose name is taken: it may be free soon (RFC 9110 section 10.2.3)."""
COLLECT_AFTER = 1.0
"""Seconds after a stream's end at which its remains are collected: it is a web of references, which Python would keep
for minutes, with the last pictures of it and the threads of its scalers. A collection takes milliseconds of the event
loop, so streams that end meanwhile are collected by the same one."""

MakePublisher = Callable[[str, Callable[["Publisher"], None]], tuple["Publisher", Pipeline]]
"""Makes a publisher's source, told whom to call when it ends, and the pipeline it feeds."""


class Names(Protocol):
    """Who has which name, where replicas share the streams."""

    async def claim(self, stream: str) -> None:
        """Have a name for a stream that is published to us.

        Raises:
            Refused: 409 there is such a stream already.
        """

    def let_go(self, stream: str) -> None:
        """Have it no more. Of a name that was not claimed so, it does nothing."""


class Streams:
    """Every stream of the service, and its viewers."""

    def __init__(
        self,
        *,
        seats: Seats,
        publishing_rights: PublishingRights,
        make_publisher: MakePublisher,
        on_restart: Callable[[], None],
        clock: Clock = monotonic,
    ) -> None:
        """Start with none.

        Args:
            seats: the places for viewers.
            publishing_rights: who may publish.
            make_publisher: makes what a publisher feeds.
            on_restart: told each time that a pipeline begins anew after an end that nobody foresaw.
            clock: for sessions.
        """
        self.seats = seats
        self.publishing_rights = publishing_rights
        self._pipelines: dict[str, Pipeline] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """What runs each; not of those that are being removed."""
        self._removals: dict[str, asyncio.Task[None]] = {}
        self.sessions: dict[str, Viewer] = {}
        """WHEP sessions by id."""
        self.publishers: dict[str, Publisher] = {}
        """WHIP sessions by id."""
        self._past: dict[str, Traffic] = {}
        """Of viewers that have left, by stream."""
        self._never_came: Counter[str] = Counter()
        """Viewers that were answered and never connected, by stream."""
        self._leaving: set[asyncio.Task[None]] = set()
        """Sessions being ended, each by a task that nobody waits for."""
        self._claiming: Counter[str] = Counter()
        """Publishers that ask for a name, among the replicas."""
        self._closing = False
        self._collection: asyncio.TimerHandle | None = None
        self._make_publisher = make_publisher
        self._on_restart = on_restart
        self._clock = clock
        self.names: Names | None = None
        """None: all that run here have theirs from us."""
        self.on_removed: list[Callable[[str], None]] = []
        """Told the name of every stream that is no more."""

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self._pipelines.values())

    @property
    def closing(self) -> bool:
        """Whether all of them end, or have: the service stops."""
        return self._closing

    def get(self, name: str) -> Pipeline | None:
        """The stream of that name, if it runs."""
        return self._pipelines.get(name)

    def traffic(self, name: str) -> dict[str, Traffic]:
        """What was counted of the sessions of a stream, by transport: "whep" and "whip"."""
        viewing = (session.traffic for session in self.sessions.values() if session.stream == name)
        publishing = self._publishing(name)
        return {
            "whep": sum(viewing, start=self._past.get(name, Traffic())),
            "whip": Traffic() if publishing is None else publishing.traffic,
        }

    def never_came(self, name: str) -> int:
        """Viewers of a stream that were answered and never connected."""
        return self._never_came[name]

    def losses(self, name: str) -> int | None:
        """Times packets of a stream's publisher were given up for lost; None where nobody publishes it."""
        publishing = self._publishing(name)
        return None if publishing is None else publishing.losses

    def is_taken(self, name: str) -> bool:
        """Whether there is a stream of that name, or a publisher that is about to begin one."""
        return name in self._pipelines or self._publishing(name) is not None

    def add(self, pipeline: Pipeline) -> None:
        """Run a stream; its name must be free."""
        if pipeline.name in self._pipelines:
            raise ValueError(f"stream {pipeline.name} runs already")
        self._pipelines[pipeline.name] = pipeline
        self.seats.streams = len(self._pipelines)
        # A pipeline's failure is its own: the others go on, and it is tried again.
        running = supervise(f"stream {pipeline.name}", pipeline.run, pause=PAUSE, on_restart=self._on_restart)
        self._tasks[pipeline.name] = asyncio.create_task(running, name=f"stream-{pipeline.name}")

    async def remove(self, name: str) -> None:
        """Stop a stream, and end its viewers' sessions and its publisher's; when this returns, its name is free.

        May be called twice, and whoever is cancelled here does not stop it half way.
        """
        removal = self._removal(name)
        if removal is not None:
            await asyncio.shield(removal)

    async def close(self) -> None:
        """Stop everything, viewers first, then sources; nobody is let in any more."""
        self._closing = True
        viewers = list(self.sessions.values())
        await asyncio.gather(*(ended(f"a viewer of {viewer.stream}", viewer.close()) for viewer in viewers))
        # Those that wait for their answers, too, who have no stream yet.
        leaving = [(each.name, self.close_publisher(each)) for each in self.publishers.values()]
        leaving += [(name, self.remove(name)) for name in self._pipelines]
        await asyncio.gather(*(ended(f"stream {name}", closing) for name, closing in leaving))

    async def open_session(self, pipeline: Pipeline, offer: str, address: str) -> "tuple[Viewer, str]":
        """Answer a viewer's offer; returns the session and the SDP answer.

        Raises:
            Overloaded: too many viewers, or the service is stopping.
            Refused: the offer cannot be answered, or the stream has ended.
        """
        await loaded()
        from streamer.webrtc.sdp import read_offer
        from streamer.webrtc.viewer import Viewer

        self._require_open()
        if pipeline.name not in self._tasks or self._pipelines[pipeline.name] is not pipeline:
            raise Refused(404, f"the stream {pipeline.name!r} has just ended")
        # Before the offer is read: whoever is refused costs as little as may be.
        seat = self.seats.sit(pipeline.name, address, connecting=True)
        view = pipeline.view

        def forget(session: "Viewer") -> None:
            self.seats.rise(seat)
            if self.sessions.pop(session.id, None) is not None:
                self._past[session.stream] = self._past.get(session.stream, Traffic()) + session.traffic
                self._never_came[session.stream] += not session.arrived

        try:
            read = read_offer(offer)
            feeds: dict[Codec, Feed] = {"H264": view.h264, "VP8": view.vp8}
            session = Viewer(
                pipeline.name,
                feeds,
                forget,
                clock=self._clock,
                on_arrival=partial(self._arrived, seat),
                on_sent=pipeline.ledger.sent,
            )
        except BaseException:
            self.seats.rise(seat)
            raise
        self.sessions[session.id] = session
        try:
            return session, await session.answer(read, address)
        except BaseException:
            await session.close()
            raise

    def _arrived(self, seat: Seat, session: "Viewer") -> None:
        """A viewer is connected: from now on his place is his own, or he has none."""
        try:
            self.seats.arrive(seat)
        except Overloaded as full:
            log.info("%s: a viewer came too late: %s", session.stream, full)
            errand = asyncio.create_task(session.close())
            self._leaving.add(errand)
            errand.add_done_callback(self._leaving.discard)

    async def open_publisher(self, name: str, offer: str, address: str = "") -> "tuple[Publisher, str]":
        """Answer a publisher's offer, and run its stream until it leaves; returns the session and the SDP answer.

        The offer came from `address`.

        Of several who want a name at once the first to find it free has it, and every other is refused.

        Raises:
            Overloaded: too many publish, or the service is stopping.
            Refused: the name is taken or may not be published, or the offer cannot be answered.
        """
        await loaded()
        from streamer.webrtc.sdp import read_offer

        read = read_offer(offer)
        if self.names is None:
            return await self._publish(name, read, address)
        self._claiming[name] += 1
        try:
            await self.names.claim(name)
            return await self._publish(name, read, address)
        except BaseException:
            # Also one who left meanwhile; but what another has, or asks for, who came at the same time, is his.
            if self._claiming[name] == 1 and self._publishing(name) is None:
                self.names.let_go(name)
            raise
        finally:
            self._claiming[name] -= 1
            if not self._claiming[name]:
                del self._claiming[name]

    def is_asked_for(self, name: str) -> bool:
        """Whether somebody is about to publish under that name, who has claimed it."""
        return name in self._claiming

    async def _publish(self, name: str, read: "Offer", address: str) -> "tuple[Publisher, str]":
        await self._vacate(name)
        # From here to where the name is taken nothing waits: nobody comes between.
        self._require_open()
        self.publishing_rights.require_room(len(self.publishers))
        publisher, pipeline = self._make_publisher(name, self._ended)
        self.publishers[publisher.id] = publisher
        try:
            answer = await publisher.answer(read, address)
            self.add(pipeline)
        except BaseException as error:
            was_sent_away = publisher.id not in self.publishers
            await publisher.close()
            if was_sent_away and isinstance(error, Refused):
                self._require_open()
                raise Refused(409, f"the name {name!r} was given to another stream meanwhile", TAKEN) from None
            raise
        return publisher, answer

    async def close_publisher(self, publisher: "Publisher") -> None:
        """End a publisher's session and its stream; when this returns, both are no more."""
        await publisher.close()  # its stream's end begins with it: `_ended`
        removal = self._removals.get(publisher.name)
        if removal is not None:
            await asyncio.shield(removal)

    async def free(self, name: str) -> None:
        """Have no stream of that name; whoever publishes it is sent away."""
        while self.is_taken(name):  # again: whoever waited for the name, too, may have it by now
            publishing = self._publishing(name)
            await (self.remove(name) if publishing is None else self.close_publisher(publishing))

    async def _vacate(self, name: str) -> None:
        """Make sure that a name is free. When this returns it is, until whoever called waits for anything.

        Raises:
            Refused: 409 it is not.
        """
        while self.is_taken(name):  # again: others wait for the name, too, and may have been first
            publishing = self._publishing(name)
            if name in self._removals:
                await self.remove(name)
            elif publishing is None:
                raise Refused(409, f"there is a stream {name!r} already; publish under another name", TAKEN)
            elif publishing.silent_for < ABANDONED_AFTER:
                raise Refused(409, f"somebody publishes {name!r} already; publish under another name", TAKEN)
            else:
                log.info("%s: another publisher takes the place of one that has gone silent", name)
                await self.close_publisher(publishing)

    def _require_open(self) -> None:
        """Let nobody in whom no one would send away.

        Raises:
            Overloaded: everything is being stopped.
        """
        if self._closing:
            raise Overloaded("the service is stopping")

    def _publishing(self, name: str) -> "Publisher | None":
        """Who publishes under that name, or is about to."""
        return next((publisher for publisher in self.publishers.values() if publisher.name == name), None)

    def _ended(self, publisher: "Publisher") -> None:
        """A publisher left: its stream goes with it, and no other that may have the name."""
        self.publishers.pop(publisher.id, None)
        pipeline = self._pipelines.get(publisher.name)
        if pipeline is not None and pipeline.source is publisher:
            self._removal(publisher.name)

    def _removal(self, name: str) -> asyncio.Task[None] | None:
        """What removes a stream, begun if need be; None where there is no such stream."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._removals[name] = asyncio.create_task(self._remove(name, task), name=f"removal-{name}")
        return self._removals.get(name)

    async def _remove(self, name: str, task: asyncio.Task[None]) -> None:
        source = self._pipelines[name].source
        closing = [session.close() for session in self.sessions.values() if session.stream == name]
        closing += [publisher.close() for publisher in self.publishers.values() if publisher is source]
        await ended(f"a session of {name}", *closing)
        task.cancel()
        await ended(f"stream {name}", task)
        del self._pipelines[name], self._removals[name]
        self.seats.streams = len(self._pipelines)
        self._past.pop(name, None)
        self._never_came.pop(name, None)
        announce("stream", name, self.on_removed)
        if self._collection is None:
            self._collection = asyncio.get_running_loop().call_later(COLLECT_AFTER, self._collect)

    def _collect(self) -> None:
        self._collection = None
        gc.collect()
