"""What is kept, as the configuration has it: the archive, and what makes events of each stream for it.

Nothing of it is imported where the configuration names no archive.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.config.archive import ArchiveSettings
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError
from streamer.values.mishaps import Mishaps
from streamer.values.watching import Watching

if TYPE_CHECKING:
    from streamer.archive.archive import Archive
    from streamer.archive.database import Database
    from streamer.archive.kept import Kept
    from streamer.http.announcements import Announcements
    from streamer.stream.events import StreamEvents

log = logging.getLogger(__name__)

DRAWING = 1
"""Threads that draw pictures of events, of all streams together."""
RETRY = 10.0
"""Seconds from one try to open a database that is away to the next."""


class Keeping:
    """One service's."""

    def __init__(self, config: Config, path: Path | None, *, clock: Clock, wall: Clock = time.time) -> None:
        """Join it; nothing is opened yet.

        Args:
            config: in force.
            path: the file it stands in, beside which the archive is; None: where we run.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
        """
        self._clock, self._wall = clock, wall
        self._drawing = Errands(DRAWING, "pictures")
        self._opened = False
        self.archive: Archive | None = None
        self.kept: tuple[Archive, Announcements] | None = None
        """The archive, and who is told of what it keeps."""
        if config.archive is not None:
            folder = (path.parent if path is not None else Path()) / config.archive.path
            announcements = _announcements()
            self.archive = _archive(config.archive, folder, clock, wall, announcements.tell)
            self.kept = self.archive, announcements

    def open(self) -> None:
        """Open the database. Blocks.

        Raises:
            ConfigError: it cannot be used by this Sightline, or its folder cannot be made.
        """
        if self.archive is None:
            return
        from streamer.archive.database import DatabaseAway

        try:
            self.archive.open()
            self._opened = True
        except DatabaseAway as error:
            log.error("the archive cannot be opened: %s; live video goes on, and it is tried again", error)

    def events_of(self, stream: str, watching: Watching) -> "StreamEvents | None":
        """What makes events of a stream's detections; None: nothing is kept."""
        if self.archive is None:
            return None
        from streamer.stream.events import StreamEvents

        mishaps = Mishaps(f"{stream}: pictures of events cannot be drawn", clock=self._clock)
        return StreamEvents(
            watching,
            clock=self._clock,
            wall=self._wall,
            errands=self._drawing,
            mishaps=mishaps,
            on_event=self.archive.put,
        )

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        if self.archive is None:
            return {}
        return {"archive": self._write, "retention": self.archive.run}

    async def close(self) -> None:
        """Write what waits."""
        if self.archive is not None:
            await self.archive.close()

    async def _write(self) -> None:
        assert self.archive is not None  # noqa: S101  else there is no such task
        while not self._opened:
            await asyncio.sleep(RETRY)
            try:
                await self.archive.in_its_thread(self.open)
            except ConfigError as error:  # it came back as another's, a newer Sightline's say
                log.error("the archive cannot be used: %s", error)
        await self.archive.writer.run()


def _announcements() -> "Announcements":
    from streamer.http.announcements import Announcements

    return Announcements()


def _archive(
    settings: ArchiveSettings,
    folder: Path,
    clock: Clock,
    wall: Clock,
    on_kept: "Callable[[Sequence[Kept]], None]",
) -> "Archive":
    from streamer.archive.archive import Archive
    from streamer.archive.retention import RetentionRules

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"archive.path: {folder} cannot be made: {error.strerror}") from None
    rules = RetentionRules(settings.days, dict(settings.days_of), settings.max_bytes)
    return Archive(_database(settings, folder), folder / "pictures", rules, clock=clock, wall=wall, on_kept=on_kept)


def _database(settings: ArchiveSettings, folder: Path) -> "Database":
    if settings.database is None:
        from streamer.archive.sqlite import Sqlite

        return Sqlite(folder / "sightline.db")
    try:
        from streamer.archive.postgresql import Postgresql
    except ImportError:
        raise ConfigError(
            "archive.database: PostgreSQL needs a package that is not installed: pip install 'sightline[postgres]'"
        ) from None
    return Postgresql(settings.database)
