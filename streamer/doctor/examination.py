"""One camera: opened as a stream's source opens it, watched, and asked why where it failed.

In a thread of its own, because FFmpeg blocks. Whoever waits for it waits `LIMIT` seconds and no longer; a thread that
is still inside FFmpeg or the resolver then ends by their own timeouts, and nobody listens to it any more.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import av

from streamer.doctor.observation import Observation
from streamer.doctor.symptoms import inquire
from streamer.doctor.watch import watch
from streamer.source.failure import explain
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError

log = logging.getLogger(__name__)

LIMIT = 8.5
"""Seconds an examination takes at the most: ten with the start of the command and what it writes."""
CLOSING = 0.5
"""Of these, what is left for FFmpeg to say goodbye."""


class Examination:
    """One camera's. `start` it once."""

    def __init__(self, target: Target, clock: Clock = monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock, self._wall = clock, wall
        self._stop = Stop()
        self.observation = Observation(began_at=clock())
        """What came so far."""
        self.target = replace(target, destinations=replace(target.destinations, resolver=self._resolve))
        self._resolver = target.destinations.resolver

    def start(self) -> asyncio.Future[None]:
        """Begin; the future resolves when the thread has ended and its socket is closed."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        # A daemon: a thread blocked in FFmpeg must not hold up the end of the process.
        threading.Thread(target=self._run, args=(loop, ended), name="doctor", daemon=True).start()
        return ended

    async def wait(self, ended: asyncio.Future[None]) -> Observation:
        """Wait for the end, for LIMIT seconds at the most; gives what came."""
        left = LIMIT - (self._clock() - self.observation.began_at)
        try:
            await asyncio.wait({ended}, timeout=left)
        finally:
            self._stop.set()
        # A copy: the thread may be inside FFmpeg still, and come back.
        seen = replace(self.observation, arrivals=list(self.observation.arrivals))
        if seen.ended_at is None:
            seen.ended_at = self._clock()
        if seen.error is None and seen.opened_at is None:
            seen.error = self._unanswered(seen.ended_at - seen.began_at)
        return seen

    def _run(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        seen = self.observation
        try:
            self._watch()
        except SourceError as refused:
            seen.error = refused
        except (OSError, av.FFmpegError, ValueError) as failure:
            seen.error = self._explain(failure)
        except Exception:
            log.exception("examining a camera failed")
            seen.error = SourceError("failed", "the examination failed in a way nobody foresaw")
        if not self._stop:
            inquire(self.target, seen)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is stopping
            loop.call_soon_threadsafe(lambda: None if ended.done() else ended.set_result(None))

    def _watch(self) -> None:
        """Watch it; who has to be called is called again, until there is no more time."""
        until = self.observation.began_at + LIMIT - CLOSING
        while True:
            try:
                watch(self.target, self.observation, self._stop, until=until, clock=self._clock, wall=self._wall)
            except SourceError as error:
                if error.kind == "waiting" and not self._stop and self._clock() < until:
                    continue
                raise
            except (TimeoutError, av.ExitError):
                if self.target.listen and self.observation.opened_at is None and self._clock() < until:
                    continue
                raise
            return

    def _explain(self, failure: BaseException) -> SourceError:
        seen = self.observation
        delivering = bool(seen.pictures)
        silent = self._clock() - seen.arrivals[-1].at if delivering and seen.arrivals else 0.0
        return explain(failure, listening=self.target.listen and not delivering, delivering=delivering, silent=silent)

    def _unanswered(self, seconds: float) -> SourceError:
        """Why there is nothing to judge when the time is over."""
        if self.target.waits:
            return SourceError("waiting", f"no camera sent anything to us in {seconds:.0f} s")
        if self.observation.resolved_at is None and self.target.scheme != "file":
            return SourceError("dns", f"the name server did not answer within {seconds:.0f} s")
        return SourceError("timeout", f"the camera did not answer within {seconds:.0f} s")

    def _resolve(self, host: str, port: int) -> list[str]:
        found = self._resolver(host, port)
        if self.observation.resolved_at is None:
            self.observation.resolved_at = self._clock()
        return found
