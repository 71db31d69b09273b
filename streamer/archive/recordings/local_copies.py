"""Files of segments that are in object storage too: they go before anything else does, and nothing is lost by it."""

import logging
from collections.abc import Iterable

from streamer.archive import lying
from streamer.archive.database import Cursor, Database
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_row import OUTLINE, segment_of
from streamer.values.uuid7 import first_of

log = logging.getLogger(__name__)

_COPIED = f"SELECT {', '.join(OUTLINE)} FROM segment WHERE is_remote = 1 AND is_local = 1"  # noqa: S608


def oldest(cursor: Cursor, before: float, limit: int, replica: str | None = None) -> list[Segment]:
    """Outlines of those that began before then: UTC, seconds since 1970; with a replica's name, of its own."""
    whose, values = lying.here(replica)
    rows = cursor.all(f"{_COPIED} AND id < ?{whose} ORDER BY id LIMIT ?", (first_of(before), *values, limit))
    return [segment_of(row) for row in rows]


class LocalCopies:
    """One archive's. All of it blocks."""

    def __init__(self, database: Database, files: RecordingFiles) -> None:
        """Have let go of none."""
        self._database, self._files = database, files
        self._refused: set[str] = set()
        """Ids of those whose files cannot be removed: they must not keep the others."""

    def due(self, cursor: Cursor, before: float, now: float, excess: int, limit: int) -> list[Segment]:
        """Those that may go: began before then, or make up for so many bytes that the disk lacks; the oldest first."""
        copied = oldest(cursor, now, limit + len(self._refused), self._files.replica)
        some = [each for each in copied if each.id not in self._refused]
        found: list[Segment] = []
        for segment in some[:limit]:
            if segment.began_at >= before and excess <= 0:
                break
            found.append(segment)
            excess -= segment.size
        return found

    def let_go(self, segments: Iterable[Segment]) -> None:
        """Remove their files, then have the index know: a file that is missing is looked for in object storage anyway.

        Raises:
            DatabaseAway: the index is told at the next start.
        """
        gone = []
        for segment in segments:
            try:
                self._files.remove(segment)
            except OSError as error:
                self._refused.add(segment.id)
                log.error("a recording of %s cannot be removed: %s: %s", segment.stream, error.strerror, error.filename)
            else:
                gone.append((segment.id,))
        with self._database.writing() as cursor:
            cursor.run_many("UPDATE segment SET is_local = 0 WHERE id = ? AND is_remote = 1", gone)
