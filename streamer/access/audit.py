"""Who did what, when, from where, and whether it came about: told here, written by a task of its own, found again.

What is told waits for nothing: the queue is bounded, and what finds no room in it, or none on the disk, is counted.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from functools import partial
from pathlib import Path

from streamer.access.audit_file import AuditFile
from streamer.access.deed import Deed
from streamer.access.repeats import Repeats
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import Refused

__all__ = ["Audit", "Deed"]

log = logging.getLogger(__name__)

WAITING = 1000
"""Deeds that may wait for the disk; of more, the oldest are dropped. As many are kept where there is no file."""
KEPT = 90 * 86400.0
"""Seconds a deed is kept: 90 days."""
FORGET_INTERVAL = 86400.0
"""Seconds from one removal of what is older to the next."""
PATIENCE = 5.0
"""Seconds that a search, and the end of the service, wait for the disk."""
PAGE = 100
"""Deeds a search gives at the most, where nothing else is said."""


class Audit:
    """One service's."""

    def __init__(self, path: Path | None, wall: Clock = time.time) -> None:
        """Write to this file; None: the newest are kept for as long as the service runs.

        Args:
            path: the file; its folder must be there.
            wall: seconds since 1970.
        """
        self._wall = wall
        self._file = None if path is None else AuditFile(path)
        self._waiting: deque[Deed] = deque()
        self._unkept: deque[Deed] = deque(maxlen=WAITING)
        """Where there is no file."""
        self._repeats = Repeats()
        self._news = asyncio.Event()
        self._errands = Errands(1, "audit")  # a disk that hangs holds up nothing
        self._forgotten_at: float | None = None
        self.dropped = 0
        """Deeds that are in no file: too many waited, or it could not be written."""
        self.error: str | None = None
        """Why the last could not be written; None: they could."""

    def note(self, deed: Deed) -> None:
        """Have this written; of what is done over and over, how often. Never waits."""
        for each in self._repeats.told(deed):
            self._put(each)

    def _put(self, deed: Deed) -> None:
        if len(self._waiting) >= WAITING:
            with contextlib.suppress(IndexError):  # the thread has just taken all of them
                self._waiting.popleft()
                self.dropped += 1
        self._waiting.append(deed)
        self._news.set()

    async def run(self) -> None:
        """Write what is told, until cancelled; once a day, forget what is old."""
        while True:
            await self._forget()
            try:
                async with asyncio.timeout(FORGET_INTERVAL):
                    await self._news.wait()
            except TimeoutError:
                continue
            self._news.clear()
            await self.write()

    async def close(self) -> None:
        """Write what still waits; a disk that does not answer is not waited for."""
        for each in self._repeats.all_over():
            self._put(each)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.write()

    async def write(self) -> None:
        """Write what waits, as soon as the disk takes it."""
        if self._file is None:
            self._unkept.extend(self._waiting)
            self._waiting.clear()
        elif self._waiting:
            self._say(await self._errands.run(partial(self._written, self._file)))

    def _written(self, file: AuditFile) -> str | None:
        """Write what waits, in the thread: nothing is taken out of the queue by whom nobody waits for any more.

        Returns:
            Why it could not be written; None: it was.
        """
        deeds = list[Deed]()
        with contextlib.suppress(IndexError):
            while True:
                deeds.append(self._waiting.popleft())
        try:
            file.append(deeds)
        except OSError as error:
            self.dropped += len(deeds)
            return f"the audit cannot be written: {error.strerror}; what is done goes on, and is not in it"
        return None

    async def search(
        self,
        who: str | None = None,
        what: str | None = None,
        since: float | None = None,
        until: float | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> tuple[list[Deed], str | None]:
        """The newest that fit, newest first, and where to go on; None: there are no more.

        Args:
            who: did it, exactly.
            what: was done: "user add", or "user" for all that begin with this word.
            since: not before; UTC, seconds since 1970.
            until: before.
            cursor: as the search before gave it.
            limit: at the most.

        Raises:
            Refused: 400 the cursor is none, or what it points to is no more; 503 the file cannot be read.
        """
        since = max(since or 0.0, self._wall() - KEPT)

        def fits(deed: Deed) -> bool:
            return (
                (who is None or deed.who == who)
                and (what is None or deed.what == what or deed.what.startswith(f"{what} "))
                and deed.at >= since
                and (until is None or deed.at < until)
            )

        for each in self._repeats.over(self._wall()):
            self._put(each)
        try:
            async with asyncio.timeout(PATIENCE):
                await self.write()
                if self._file is None:
                    return [deed for deed in reversed(self._unkept) if fits(deed)][:limit], None
                return await self._errands.run(partial(self._file.search, fits, cursor, limit))
        except TimeoutError:
            raise Refused(503, f"the audit cannot be read: its disk did not answer within {PATIENCE:g} s") from None
        except OSError as error:
            raise Refused(503, f"the audit cannot be read: {error.strerror}") from None

    async def _forget(self) -> None:
        now = self._wall()
        if self._file is None or (self._forgotten_at is not None and now - self._forgotten_at < FORGET_INTERVAL):
            return
        self._forgotten_at = now
        try:
            await self._errands.run(partial(self._file.forget, now - KEPT))
        except OSError as error:
            self._say(f"what is old cannot be taken out of the audit: {error.strerror}")

    def _say(self, error: str | None) -> None:
        if error is not None and error != self.error:
            log.error("%s", error)
        self.error = error
