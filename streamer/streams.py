"""The running pipelines by name: add, remove, list; one task each."""

import asyncio
import logging
from collections.abc import Iterator

from streamer.errors import Overloaded
from streamer.pipeline import Pipeline
from streamer.session import Session

log = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds before a pipeline that failed in a way nobody foresaw is run again."""


class Streams:
    """Every stream of the service, and its viewers."""

    def __init__(self, *, max_viewers: int) -> None:
        self._pipelines: dict[str, Pipeline] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.sessions: dict[str, Session] = {}
        """WHEP sessions by id."""
        self._max_viewers = max_viewers

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self._pipelines.values())

    def get(self, name: str) -> Pipeline | None:
        """The stream of that name, if it runs."""
        return self._pipelines.get(name)

    def add(self, pipeline: Pipeline) -> None:
        """Run a stream; its name must be free."""
        if pipeline.name in self._pipelines:
            raise ValueError(f"stream {pipeline.name} runs already")
        self._pipelines[pipeline.name] = pipeline
        self._tasks[pipeline.name] = asyncio.create_task(self._run(pipeline), name=f"stream-{pipeline.name}")

    async def remove(self, name: str) -> None:
        """Stop a stream and end its viewers' sessions."""
        for session in [session for session in self.sessions.values() if session.stream == name]:
            await session.close()
        task = self._tasks.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del self._pipelines[name]

    async def close(self) -> None:
        """Stop everything: viewers first, then sources."""
        await asyncio.gather(*(session.close() for session in list(self.sessions.values())), return_exceptions=True)
        await asyncio.gather(*(self.remove(name) for name in list(self._pipelines)), return_exceptions=True)

    def require_room(self) -> None:
        """Check that one more viewer may come.

        Raises:
            Overloaded: the configured number of viewers is here already.
        """
        if len(self.sessions) + sum(len(pipeline.view.jpeg) for pipeline in self) >= self._max_viewers:
            raise Overloaded(f"all {self._max_viewers} places for viewers are taken (server.max_viewers)")

    async def open_session(self, pipeline: Pipeline, offer: str) -> tuple[Session, str]:
        """Answer a viewer's offer; returns the session and the SDP answer.

        Raises:
            Overloaded: too many viewers.
            SessionError: the offer cannot be answered.
        """
        self.require_room()
        session = Session(pipeline.name, pipeline.view.h264, self._forget)
        self.sessions[session.id] = session
        try:
            return session, await session.answer(offer)
        except BaseException:
            await session.close()
            raise

    def _forget(self, session: Session) -> None:
        self.sessions.pop(session.id, None)

    async def _run(self, pipeline: Pipeline) -> None:
        """A pipeline's failure is its own: the others go on, and it is tried again."""
        while True:
            try:
                await pipeline.run()
            except Exception:
                log.exception("stream %s failed; it starts again", pipeline.name)
            await asyncio.sleep(RESTART_PAUSE)
