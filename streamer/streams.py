"""The running pipelines by name: add, remove, list; one task each. With who watches them, and who publishes some."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator

from streamer.admission import Admission
from streamer.clock import Clock, monotonic
from streamer.errors import SessionError
from streamer.ingress import Ingress
from streamer.pipeline import Pipeline
from streamer.sdp import read_offer
from streamer.session import Session
from streamer.viewers import Viewers

log = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds before a pipeline that failed in a way nobody foresaw is run again."""
ABANDONED_AFTER = 3.0
"""Seconds of a publisher's silence after which another may take its name: itself, most likely, on another network."""

COLLECT_AFTER = 1.0
"""Seconds after a stream's end at which its remains are collected: it is a web of references, which Python would keep
for minutes, with the last pictures of it and the threads of its scalers."""

MakeIngress = Callable[[str, Callable[[Ingress], None]], tuple[Ingress, Pipeline]]
"""Makes a publisher's source, told whom to call when it ends, and the pipeline it feeds."""


class Streams:
    """Every stream of the service, and its viewers."""

    def __init__(
        self,
        *,
        viewers: Viewers,
        admission: Admission,
        make_ingress: MakeIngress,
        clock: Clock = monotonic,
    ) -> None:
        """Start with none.

        Args:
            viewers: the places for viewers.
            admission: who may publish.
            make_ingress: makes what a publisher feeds.
            clock: for sessions.
        """
        self.viewers = viewers
        self.admission = admission
        self._pipelines: dict[str, Pipeline] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.sessions: dict[str, Session] = {}
        """WHEP sessions by id."""
        self.ingresses: dict[str, Ingress] = {}
        """WHIP sessions by id."""
        self._make_ingress = make_ingress
        self._clock = clock
        self.on_removed: list[Callable[[str], None]] = []
        """Told the name of every stream that is no more."""
        self._ending: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self._pipelines.values())

    def get(self, name: str) -> Pipeline | None:
        """The stream of that name, if it runs."""
        return self._pipelines.get(name)

    def is_taken(self, name: str) -> bool:
        """Whether there is a stream of that name, or a publisher that is about to begin one."""
        return name in self._pipelines or any(ingress.name == name for ingress in self.ingresses.values())

    def add(self, pipeline: Pipeline) -> None:
        """Run a stream; its name must be free."""
        if pipeline.name in self._pipelines:
            raise ValueError(f"stream {pipeline.name} runs already")
        self._pipelines[pipeline.name] = pipeline
        self._tasks[pipeline.name] = asyncio.create_task(self._run(pipeline), name=f"stream-{pipeline.name}")

    async def remove(self, name: str) -> None:
        """Stop a stream, and end its viewers' sessions and its publisher's; may be called twice."""
        task = self._tasks.pop(name, None)
        if task is None:  # somebody else is at it
            return
        for session in [session for session in self.sessions.values() if session.stream == name]:
            await session.close()
        for ingress in [ingress for ingress in self.ingresses.values() if ingress.name == name]:
            await ingress.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del self._pipelines[name]
        for told in self.on_removed:
            told(name)
        asyncio.get_running_loop().call_later(COLLECT_AFTER, gc.collect)

    async def close(self) -> None:
        """Stop everything: viewers first, then sources."""
        await asyncio.gather(*(session.close() for session in list(self.sessions.values())), return_exceptions=True)
        await asyncio.gather(*(self.remove(name) for name in list(self._tasks)), return_exceptions=True)
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def open_session(self, pipeline: Pipeline, offer: str, address: str) -> tuple[Session, str]:
        """Answer a viewer's offer; returns the session and the SDP answer.

        Raises:
            Overloaded: too many viewers.
            SessionError: the offer cannot be answered.
        """
        read = read_offer(offer)
        seat = self.viewers.sit(pipeline.name, address)
        view = pipeline.view

        def forget(session: Session) -> None:
            self.viewers.rise(seat)
            self.sessions.pop(session.id, None)

        session = Session(pipeline.name, {"H264": view.h264, "VP8": view.vp8}, forget, clock=self._clock)
        self.sessions[session.id] = session
        try:
            return session, await session.answer(read)
        except BaseException:
            await session.close()
            raise

    async def open_ingress(self, name: str, offer: str) -> tuple[Ingress, str]:
        """Answer a publisher's offer, and run its stream until it leaves; returns the session and the SDP answer.

        Raises:
            Overloaded: too many publish.
            SessionError: the name is taken or may not be published, or the offer cannot be answered.
        """
        read = read_offer(offer)
        await self._vacate(name)
        self.admission.require_room(len(self.ingresses))
        ingress, pipeline = self._make_ingress(name, self._ended)
        self.ingresses[ingress.id] = ingress  # the name is taken from here on
        try:
            answer = await ingress.answer(read)
        except BaseException:
            await ingress.close()
            raise
        if ingress.id in self.ingresses:
            self.add(pipeline)
        return ingress, answer

    async def close_ingress(self, ingress: Ingress) -> None:
        """End a publisher's session and its stream; when this returns, its name is free."""
        await self.remove(ingress.name)
        await ingress.close()

    async def free(self, name: str) -> None:
        """Have no stream of that name; whoever publishes it is sent away."""
        for ingress in [ingress for ingress in self.ingresses.values() if ingress.name == name]:
            await self.close_ingress(ingress)
        await self.remove(name)
        while name in self._pipelines:  # noqa: ASYNC110  somebody else is removing it
            await asyncio.sleep(0.01)

    async def _vacate(self, name: str) -> None:
        """Make sure that a name is free.

        Raises:
            SessionError: 409 it is not.
        """
        if name in self._pipelines and name not in self._tasks:  # it is just being removed
            await asyncio.gather(*self._ending, return_exceptions=True)
        publishing = next((ingress for ingress in self.ingresses.values() if ingress.name == name), None)
        if name not in self._pipelines and publishing is None:
            return
        if publishing is None:
            raise SessionError(409, f"there is a stream {name!r} already; publish under another name")
        if publishing.silent_for < ABANDONED_AFTER:
            raise SessionError(409, f"somebody publishes {name!r} already; publish under another name")
        log.info("%s: another publisher takes the place of one that has gone silent", name)
        await self.close_ingress(publishing)

    def _ended(self, ingress: Ingress) -> None:
        """A publisher left: its stream goes with it."""
        if self.ingresses.pop(ingress.id, None) is not None and ingress.name in self._tasks:
            task = asyncio.create_task(self.remove(ingress.name))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _run(self, pipeline: Pipeline) -> None:
        """A pipeline's failure is its own: the others go on, and it is tried again."""
        while True:
            try:
                await pipeline.run()
            except Exception:
                log.exception("stream %s failed; it starts again", pipeline.name)
            await asyncio.sleep(RESTART_PAUSE)
