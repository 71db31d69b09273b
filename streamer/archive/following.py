"""Follows what the other replicas of a cluster write into the database that all share: looked for twice a second.

NATS need not be there for it. Whoever hears of something sooner may ask at once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from streamer.archive import lying
from streamer.archive.database import Database, DatabaseAway
from streamer.values.errands import Errands

log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds from one look to the next."""
PAGE = 100
"""Files that are let go of in one step."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one of them gives."""

    doomed: Sequence[str] = ()
    """Keys of files that others removed, and that lie here."""


class Following:
    """One replica's."""

    def __init__(
        self, database: Database, folder: Path, replica: str, *, writing: Errands, forget: Callable[[str], None]
    ) -> None:
        """Have looked at nothing.

        Args:
            database: that all share.
            folder: of the archive, which files' keys are below.
            replica: ours.
            writing: the archive's one thread that writes.
            forget: told in it of the id of what was removed: nothing more of it is to be kept.
        """
        self._database, self._folder, self._replica, self._forget = database, folder, replica, forget
        self._reading, self._writing = Errands(1, "archive-follow"), writing
        self._wake = asyncio.Event()

    def look_now(self) -> None:
        """Do not wait for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            self._wake.clear()
            try:
                look = await self._reading.run(self._look)
                if look.doomed:
                    await self._writing.run(partial(self._let_go, look.doomed))
            except (DatabaseAway, OSError) as error:
                log.debug("what other replicas keep cannot be read now: %s", error)
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._wake.wait()
            except TimeoutError:
                continue

    # ---- in threads

    def _look(self) -> Look:
        with self._database.reading() as cursor:
            return Look(lying.doomed(cursor, self._replica, PAGE))

    def _let_go(self, keys: Sequence[str]) -> None:
        """Files before rows: who is killed between them lets go of nothing twice."""
        for key in keys:
            self._forget(PurePosixPath(key).name.partition(".")[0])
            (self._folder / key).unlink(missing_ok=True)
        with self._database.writing() as cursor:
            lying.let_go(cursor, self._replica, keys)
