"""Archives of several replicas with one PostgreSQL, each with a folder of its own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from streamer.archive.archive import Archive
from streamer.archive.kept import Kept
from streamer.archive.migrations import migrate
from streamer.archive.postgresql import Postgresql
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.retention import RetentionRules
from streamer.values.clock import monotonic
from tests.archive.events import NOON

LATER = NOON + 2 * 3600


class Replicas:
    """Of one database."""

    def __init__(self, address: str, folder: Path) -> None:
        self._address, self._folder = address, folder
        self._databases: list[Postgresql] = []
        self.database = self._connected()
        migrate(self.database)
        self.near, self.far = self.archive("near"), self.archive("far")

    def archive(
        self,
        folder: str,
        replica: str | None = "",
        *,
        on_kept: Callable[[Sequence[Kept]], None] = lambda _: None,
        **given: Any,
    ) -> Archive:
        """One, whose replica has its folder's name, unless another is said."""
        rules = RecordingRules(**{"keep_days": 7, "keep_event_days": 7, "min_free_bytes": 0, **given})
        return Archive(
            self._connected(),
            self._folder / folder / "pictures",
            RetentionRules(days=7),
            clock=monotonic,
            wall=lambda: LATER,
            recording_rules=rules,
            on_kept=on_kept,
            replica=folder if replica == "" else replica,
        )

    @property
    def both(self) -> tuple[Archive, Archive]:
        return self.near, self.far

    def segments(self) -> set[str]:
        """Ids of all that the index has."""
        with self.database.reading() as cursor:
            return {row[0] for row in cursor.all("SELECT id FROM segment")}

    def events(self) -> set[str]:
        """Ids of all that are kept."""
        with self.database.reading() as cursor:
            return {row[0] for row in cursor.all("SELECT id FROM event")}

    def close(self) -> None:
        for database in self._databases:
            database.close()

    def _connected(self) -> Postgresql:
        self._databases.append(Postgresql(self._address))
        return self._databases[-1]
