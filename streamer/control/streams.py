"""The running pipelines by name: add, remove, list; one task each. With who watches them, and who publishes some."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator

from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import Seats
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import Refused
from streamer.webrtc.publisher import Publisher
from streamer.webrtc.sdp import read_offer
from streamer.webrtc.viewer import Viewer

log = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds before a pipeline that failed in a way nobody foresaw is run again."""
ABANDONED_AFTER = 3.0
"""Seconds of a publisher's silence after which another may take its name: itself, most likely, on another network."""

TAKEN = {"Retry-After": "5"}
"""What a publisher is told whose name is taken: it may be free soon (RFC 9110 section 10.2.3)."""
COLLECT_AFTER = 1.0
"""Seconds after a stream's end at which its remains are collected: it is a web of references, which Python would keep
for minutes, with the last pictures of it and the threads of its scalers. A collection takes milliseconds of the event
loop, so streams that end meanwhile are collected by the same one."""

MakePublisher = Callable[[str, Callable[[Publisher], None]], tuple[Publisher, Pipeline]]
"""Makes a publisher's source, told whom to call when it ends, and the pipeline it feeds."""


class Streams:
    """Every stream of the service, and its viewers."""

    def __init__(
        self,
        *,
        seats: Seats,
        publishing_rights: PublishingRights,
        make_publisher: MakePublisher,
        clock: Clock = monotonic,
    ) -> None:
        """Start with none.

        Args:
            seats: the places for viewers.
            publishing_rights: who may publish.
            make_publisher: makes what a publisher feeds.
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
        self._collection: asyncio.TimerHandle | None = None
        self._make_publisher = make_publisher
        self._clock = clock
        self.on_removed: list[Callable[[str], None]] = []
        """Told the name of every stream that is no more."""

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self._pipelines.values())

    def get(self, name: str) -> Pipeline | None:
        """The stream of that name, if it runs."""
        return self._pipelines.get(name)

    def is_taken(self, name: str) -> bool:
        """Whether there is a stream of that name, or a publisher that is about to begin one."""
        return name in self._pipelines or self._publishing(name) is not None

    def add(self, pipeline: Pipeline) -> None:
        """Run a stream; its name must be free."""
        if pipeline.name in self._pipelines:
            raise ValueError(f"stream {pipeline.name} runs already")
        self._pipelines[pipeline.name] = pipeline
        self._tasks[pipeline.name] = asyncio.create_task(self._run(pipeline), name=f"stream-{pipeline.name}")

    async def remove(self, name: str) -> None:
        """Stop a stream, and end its viewers' sessions and its publisher's; when this returns, its name is free.

        May be called twice, and whoever is cancelled here does not stop it half way.
        """
        removal = self._removal(name)
        if removal is not None:
            await asyncio.shield(removal)

    async def close(self) -> None:
        """Stop everything: viewers first, then sources."""
        await asyncio.gather(*(session.close() for session in list(self.sessions.values())), return_exceptions=True)
        await asyncio.gather(*(self.remove(name) for name in list(self._pipelines)), return_exceptions=True)

    async def open_session(self, pipeline: Pipeline, offer: str, address: str) -> tuple[Viewer, str]:
        """Answer a viewer's offer; returns the session and the SDP answer.

        Raises:
            Overloaded: too many viewers.
            Refused: the offer cannot be answered, or the stream has ended.
        """
        read = read_offer(offer)
        if pipeline.name not in self._tasks or self._pipelines[pipeline.name] is not pipeline:
            raise Refused(404, f"the stream {pipeline.name!r} has just ended")
        seat = self.seats.sit(pipeline.name, address)
        view = pipeline.view

        def forget(session: Viewer) -> None:
            self.seats.rise(seat)
            self.sessions.pop(session.id, None)

        session = Viewer(pipeline.name, {"H264": view.h264, "VP8": view.vp8}, forget, clock=self._clock)
        self.sessions[session.id] = session
        try:
            return session, await session.answer(read)
        except BaseException:
            await session.close()
            raise

    async def open_publisher(self, name: str, offer: str) -> tuple[Publisher, str]:
        """Answer a publisher's offer, and run its stream until it leaves; returns the session and the SDP answer.

        Raises:
            Overloaded: too many publish.
            Refused: the name is taken or may not be published, or the offer cannot be answered.
        """
        read = read_offer(offer)
        await self._vacate(name)
        self.publishing_rights.require_room(len(self.publishers))
        publisher, pipeline = self._make_publisher(name, self._ended)
        self.publishers[publisher.id] = publisher  # the name is taken from here on
        try:
            answer = await publisher.answer(read)
        except BaseException:
            await publisher.close()
            raise
        self.add(pipeline)
        return publisher, answer

    async def close_publisher(self, publisher: Publisher) -> None:
        """End a publisher's session and its stream; when this returns, its name is free."""
        await self.remove(publisher.name)
        await publisher.close()

    async def free(self, name: str) -> None:
        """Have no stream of that name; whoever publishes it is sent away."""
        while self.is_taken(name):  # again: whoever waited for the name, too, may have it by now
            publishing = self._publishing(name)
            await (self.remove(name) if publishing is None else self.close_publisher(publishing))

    async def _vacate(self, name: str) -> None:
        """Make sure that a name is free.

        Raises:
            Refused: 409 it is not.
        """
        if name in self._removals:
            await self.remove(name)
        publishing = self._publishing(name)
        if name not in self._pipelines and publishing is None:
            return
        if publishing is None:
            raise Refused(409, f"there is a stream {name!r} already; publish under another name", TAKEN)
        if publishing.silent_for < ABANDONED_AFTER:
            raise Refused(409, f"somebody publishes {name!r} already; publish under another name", TAKEN)
        log.info("%s: another publisher takes the place of one that has gone silent", name)
        await self.close_publisher(publishing)

    def _publishing(self, name: str) -> Publisher | None:
        """Who publishes under that name, or is about to."""
        return next((publisher for publisher in self.publishers.values() if publisher.name == name), None)

    def _ended(self, publisher: Publisher) -> None:
        """A publisher left: its stream goes with it."""
        if self.publishers.pop(publisher.id, None) is not None:
            self._removal(publisher.name)

    def _removal(self, name: str) -> asyncio.Task[None] | None:
        """What removes a stream, begun if need be; None where there is no such stream."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._removals[name] = asyncio.create_task(self._remove(name, task), name=f"removal-{name}")
        return self._removals.get(name)

    async def _remove(self, name: str, task: asyncio.Task[None]) -> None:
        closing = [session.close() for session in self.sessions.values() if session.stream == name]
        closing += [publisher.close() for publisher in self.publishers.values() if publisher.name == name]
        for failure in await asyncio.gather(*closing, return_exceptions=True):
            if failure is not None:
                log.error("%s: a session could not be closed", name, exc_info=failure)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del self._pipelines[name], self._removals[name]
        for told in self.on_removed:
            told(name)
        if self._collection is None:
            self._collection = asyncio.get_running_loop().call_later(COLLECT_AFTER, self._collect)

    def _collect(self) -> None:
        self._collection = None
        gc.collect()

    async def _run(self, pipeline: Pipeline) -> None:
        """A pipeline's failure is its own: the others go on, and it is tried again."""
        while True:
            try:
                await pipeline.run()
            except Exception:
                log.exception("stream %s failed; it starts again", pipeline.name)
            await asyncio.sleep(RESTART_PAUSE)
