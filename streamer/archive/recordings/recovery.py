"""Finds what a service that was killed left of its recordings, makes it whole, and has the index know. Blocks."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from streamer.archive.recordings.mending import PART, mend
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_index import SegmentIndex
from streamer.values.uuid7 import time_of

log = logging.getLogger(__name__)

PROGRESS = 100
"""Files from one word about it to the next."""


class Recovery:
    """One service's, at its start."""

    def __init__(self, index: SegmentIndex, is_ours: Callable[[str], bool]) -> None:
        """Have found nothing.

        Args:
            index: of segments.
            is_ours: whether this service has begun the segment of that id: it is none that was left.
        """
        self._index, self._is_ours = index, is_ours
        self.mended = 0
        """Files that are in the index now and were not, or not with an end."""
        self.removed = 0
        """Those there was nothing in."""
        self.unreadable = 0
        """Those that are none of ours, or cannot be read; they stay as they are."""

    def run(self) -> None:
        """Look through all of them, one after the other.

        Raises:
            DatabaseAway: the index cannot be read or written; once more does no harm.
        """
        for segment in self._index.unended():
            if not self._is_ours(segment.id):
                self._mend(segment, is_known=True)
        for day in sorted(self._index.folder.glob("*/[0-9]*/[0-9]*/[0-9]*")):
            for segment in self._strays(day):
                self._mend(segment, is_known=False)
        if self.mended or self.removed or self.unreadable:
            log.info(
                "recordings that were cut off: %d were made whole, %d were empty, %d cannot be read",
                self.mended, self.removed, self.unreadable,
            )  # fmt: skip

    def _strays(self, day: Path) -> Iterator[Segment]:
        """What lies there and is not in the index."""
        found = {}
        for file in day.iterdir():
            id_ = file.name.split(".")[0]
            if self._is_ours(id_):
                continue
            if file.name.endswith(PART):
                file.unlink(missing_ok=True)
            elif file.suffix == ".mp4":
                found[id_] = file
        for id_ in sorted(found.keys() - self._index.known(found)):
            try:
                began_at = time_of(id_)
            except ValueError:
                self._leave(found[id_], "its name is none of ours")
                continue
            segment = Segment(
                id_, day.parts[-4], began_at, None, "", "", 0, 0, 0, 0, 0, None, False, False, b"", ()
            )  # fmt: skip
            if self._index.path(segment) == found[id_]:
                yield segment
            else:
                self._leave(found[id_], "its name is another time's than its folder")

    def _mend(self, segment: Segment, *, is_known: bool) -> None:
        path = self._index.path(segment)
        try:
            whole = mend(path, segment)
        except FileNotFoundError:
            if not self._index.folder.is_dir():
                self._leave(path, "its disk is not there")
                return
            whole = None
        except (OSError, ValueError) as error:
            self._leave(path, str(error))
            return
        if whole is not None:
            self._index.put_now(whole)
            self.mended += 1
            if self.mended % PROGRESS == 0:
                log.info("recordings that were cut off: %d were made whole so far", self.mended)
            return
        self.removed += 1
        if is_known:
            self._index.forget([segment.id])

    def _leave(self, path: Path, why: str) -> None:
        self.unreadable += 1
        log.warning("a recording is left as it is, %s: %s", path.name, why)
