"""Segments in the index whose files are gone: somebody removed them, or a service was killed between file and row.

The reverse, files that no row knows, is recovery.py's: there is video in them.
"""

import logging

from streamer.archive.database import Database
from streamer.archive.recordings import segment_ages, segment_table
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.segment import Segment

log = logging.getLogger(__name__)

PAGE = 500
"""Segments looked at in one step."""
SAMPLE = 100
"""Of the newest: where none of their files is there, the disk is not."""


class Strays:
    """One look through all of them. Blocks."""

    def __init__(self, database: Database, files: RecordingFiles, held: Held, before: float) -> None:
        """Have looked at none.

        Args:
            database: of the index.
            files: where they should be.
            held: told of what is not.
            before: only at those that began before then: UTC, seconds since 1970.
        """
        self._database, self._files, self._held, self._before = database, files, held, before
        self._place: str | None = None
        self.is_done = False
        self.found = 0
        """Segments without files, so far."""

    def step(self) -> None:
        """Look at some more.

        Raises:
            DatabaseAway: they cannot be read or removed; once more does no harm.
            OSError: the disk does not say.
        """
        if self._place is None and not self._is_mounted():
            self.is_done = True
            return
        with self._database.reading() as cursor:
            page = segment_ages.local(cursor, self._place or "", self._before, PAGE, self._files.replica)
        self.settle([segment for segment in page if not self._files.is_there(segment)])
        self.is_done = len(page) < PAGE
        self._place = page[-1].id if page else ""
        if self.is_done and self.found:
            log.warning("recordings: the files of %d segments are gone, and these from the index", self.found)

    def settle(self, gone: list[Segment]) -> None:
        """Have the index know that these files are gone. Boxes stay, and what is elsewhere too."""
        if gone:
            with self._database.writing() as cursor:
                segment_table.remove_local(cursor, [segment.id for segment in gone])
        for segment in gone:
            if not segment.is_remote:
                self._held.add(segment.stream, -segment.size)
        self.found += len(gone)

    def _is_mounted(self) -> bool:
        with self._database.reading() as cursor:
            newest = segment_ages.newest_local(cursor, self._before, SAMPLE, self._files.replica)
        if not newest or any(self._files.is_there(segment) for segment in newest):
            return True
        log.error(
            "recordings: none of the newest %d files is in %s; is its disk mounted? The index is left as it is",
            len(newest),
            self._files.folder,
        )
        return False
