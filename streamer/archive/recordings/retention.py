"""Which recordings go, and when: by age, by bytes, and before the disk is full. Small steps, the oldest first.

Files go before rows: on a full disk a file can be removed, and SQLite needs room even to delete.
"""

import heapq
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from streamer.archive import lying
from streamer.archive.database import Cursor, Database
from streamer.archive.recordings import box_table, seen_table, segment_ages, segment_sums, segment_table
from streamer.archive.recordings.bookmarks import Bookmarks, bookmarks
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.found import Removed
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.local_copies import LocalCopies
from streamer.archive.recordings.rules import DAY, RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_ages import Which
from streamer.archive.storage import doomed_table
from streamer.values.recording import Recording

log = logging.getLogger(__name__)

STEP = 20
"""Segments removed at once: of 22 MB each, some tenth of a second on most disks."""
BOX_STEP = 500
"""Rows of boxes removed at once: they are small."""
YOUNG = 120.0
"""Seconds after its end in which a segment stays: more may still be said of it."""


class RecordingRetention:
    """One archive's. All of it blocks, in one thread."""

    def __init__(
        self, rules: RecordingRules, database: Database, files: RecordingFiles, writer: IndexWriter, held: Held
    ) -> None:
        """Remove nothing yet."""
        self.rules = rules
        self._database, self._files, self._writer, self._held = database, files, writer, held
        self._copies = LocalCopies(database, files)
        self._refused: set[str] = set()
        """Ids of segments whose files cannot be removed: they must not keep the others."""
        self.removed = Removed(0, 0)
        """In all."""

    def keep_as(self, stream: str, recording: Recording) -> None:
        """Go by these settings of a stream from the next step on."""
        self.rules = replace(self.rules, of_streams={**self.rules.of_streams, stream: recording})

    def know(self, streams: Mapping[str, Recording | None]) -> None:
        """Go by what is known of all streams that there are to be; of None it cannot be told, and theirs stay."""
        known = {name: recording for name, recording in streams.items() if recording is not None}
        self.rules = replace(
            self.rules,
            of_streams={**self.rules.of_streams, **known},
            are_known=True,
            unknown=frozenset(streams.keys() - known.keys()),
        )

    def step(self, now: float) -> int:
        """Remove some of what may go, at most STEP segments; returns how many were to.

        Until it is known what streams say, nothing is lost: only files go that are in object storage too.

        Args:
            now: UTC, seconds since 1970.

        Raises:
            DatabaseAway: nothing can be removed for now.
            OSError: the disk does not say how much room it has.
        """
        with self._database.reading() as cursor:
            if not self._held.is_known:
                self._held.count(segment_sums.sizes(cursor, self._files.replica))
            marked, are_known = bookmarks(cursor, self.rules), self.rules.are_known
            due: list[Segment] = []
            if are_known:
                due = list(islice(self._old(cursor, marked, now), STEP)) or self._beyond(cursor, marked, now)
            copies = [] if due else self._copied(cursor, now)
            if are_known and not (due or copies):
                due = self._crowding(cursor, marked, now)
        if copies:
            self._copies.let_go(copies)
        self.remove(due)
        return len(due) or len(copies)

    def remove(self, segments: Sequence[Segment]) -> Removed:
        """Let go of these: of their files, then of their rows. Boxes stay, for as long as boxes do.

        Raises:
            DatabaseAway: their rows stay, without files.
            OSError: the disk does not say which of them are here.
        """
        here = {segment.id for segment in segments if self._files.lie_here(segment)}
        gone = [segment for segment in segments if segment.id not in here or self._unlinked(segment)]
        others = [(each.replica or lying.NOBODY, self._files.key(each)) for each in gone if each.id not in here]
        if gone:
            with self._database.writing() as cursor:
                segment_table.remove(cursor, [segment.id for segment in gone])
                lying.doom(cursor, others)
                if self.rules.keep_local_days is not None:  # be it marked or not: it may just be on its way
                    doomed_table.add(cursor, map(self._files.key, gone))
            self._writer.forget([segment.id for segment in gone])
        for segment in filter(self._files.are_of, gone):
            self._held.add(segment.stream, -segment.size)
        removed = Removed(len(gone), sum(segment.size for segment in gone))
        self.removed = Removed(self.removed.segments + removed.segments, self.removed.bytes + removed.bytes)
        return removed

    def remove_old_boxes(self, now: float) -> int:
        """Remove some boxes that are too old, and of which there is no video any more; returns how many segments'.

        Raises:
            DatabaseAway: nothing can be removed for now.
        """
        before = now - self.rules.keep_boxes_days * DAY
        with self._database.writing() as cursor:
            gone = box_table.remove_old(cursor, before, BOX_STEP)
            for stream in seen_table.streams(cursor):
                seen_table.remove_old(cursor, stream, before)
        return gone

    # ---- which

    def _old(self, cursor: Cursor, marked: Bookmarks, now: float) -> Iterator[Segment]:
        """What has had its days; of other replicas later, for one may not be there any more to do it."""
        unknown, me = self.rules.unknown, self._files.replica
        own = tuple(name for name in self.rules.with_own_days if name not in unknown)
        others = (*own, *sorted(unknown))
        for is_there in (False,) if me is None else (False, True):
            at = now - lying.LEFT_DAYS * DAY if is_there else now
            for stream, has_event in product((*own, None), (False, True)):
                until = at - self.rules.days(stream, has_event=has_event) * DAY
                besides = others if stream is None else ()
                which = Which(has_event, stream, besides, now - YOUNG, me, is_there, began_before=until)
                yield from self._free(cursor, which, marked)

    def _beyond(self, cursor: Cursor, marked: Bookmarks, now: float) -> list[Segment]:
        """What is more than may be kept: of a stream, then of all; wherever it is."""
        sizes = self._held.sizes
        for stream, limit in self.rules.limits().items():
            if due := _enough(self._most_used(cursor, stream, marked, now), sizes.get(stream, 0) - limit):
                return due
        if self.rules.keep_bytes is None:
            return []
        return _enough(self._most_used(cursor, None, marked, now), sum(sizes.values()) - self.rules.keep_bytes)

    def _copied(self, cursor: Cursor, now: float) -> list[Segment]:
        """Whose files may go from here, as they are in object storage: after their days, or as the disk needs room."""
        if self.rules.keep_local_days is None:
            return []
        missing = self.rules.missing(*self._files.free())
        return self._copies.due(cursor, now - self.rules.keep_local_days * DAY, now - YOUNG, missing, STEP)

    def _crowding(self, cursor: Cursor, marked: Bookmarks, now: float) -> list[Segment]:
        """What the disk has no room for, and nobody else has."""
        here = (segment for segment in self._most_used(cursor, None, marked, now) if segment.is_local)
        return _enough(here, self.rules.missing(*self._files.free()))

    def _most_used(self, cursor: Cursor, stream: str | None, marked: Bookmarks, now: float) -> Iterator[Segment]:
        """First what has used up most of its days: an event of 12 days out of 30 goes after a day out of 2."""
        me = self._files.replica
        which = [Which(has_event, stream, ended_before=now - YOUNG, replica=me) for has_event in (False, True)]
        both = (self._free(cursor, each, marked) for each in which)

        def left(segment: Segment) -> float:
            return (segment.began_at - now) / self.rules.days(segment.stream, has_event=segment.has_event)

        return heapq.merge(*both, key=left)

    def _free(self, cursor: Cursor, which: Which, marked: Bookmarks) -> Iterator[Segment]:
        """Those that nobody's mark holds, of streams whose rules are known, whose file could be removed so far."""
        for segment in segment_ages.oldest(cursor, which):
            is_unknown = segment.stream in self.rules.unknown
            if segment.id not in self._refused and not is_unknown and not marked.hold(segment):
                yield segment

    def _unlinked(self, segment: Segment) -> bool:
        try:
            self._files.remove(segment)
        except OSError as error:
            self._refused.add(segment.id)
            log.error("a recording of %s cannot be removed: %s: %s", segment.stream, error.strerror, error.filename)
            return False
        return True


def _enough(segments: Iterator[Segment], excess: int) -> list[Segment]:
    """So many of them that they make up for the excess, in bytes; at most STEP."""
    found: list[Segment] = []
    while excess > 0 and len(found) < STEP and (segment := next(segments, None)) is not None:
        found.append(segment)
        excess -= segment.size
    return found
