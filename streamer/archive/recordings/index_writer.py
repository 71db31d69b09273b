"""Writes down segments, their boxes and what was seen in them: taken from any thread, all streams' together.

While the database is away they wait, bounded. A segment that is lost here has its file, and is found at the next start.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from streamer.archive.database import BadRow, Cursor, Database
from streamer.archive.recordings import box_table, seen_table, segment_table
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.seen_table import SeenMinutes
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.stream_boxes import StreamBoxes

log = logging.getLogger(__name__)

MOST_WAITING = 4096
"""Segments; then the oldest are lost, and counted."""
MOST_UNWANTED = 10_000
"""Removed segments that are remembered: a recorder may say of one once more that there was an event."""


class IndexWriter:
    """One archive's."""

    def __init__(self, database: Database, held: Held, replica: str | None = None) -> None:
        """Have nothing to write yet.

        Args:
            database: of the index.
            held: told of what is written.
            replica: on whose disk the files are; None: there is no cluster.
        """
        self._database, self._held, self._replica = database, held, replica
        self._lock = threading.Lock()
        self._waiting: dict[str, Segment] = {}
        self._boxes: dict[str, StreamBoxes] = {}
        self._unwanted: dict[str, None] = {}
        self._lost = 0

    @property
    def lost(self) -> int:
        """Segments, and samples' boxes, that could not be written."""
        return self._lost + sum(boxes.lost for boxes in self.boxes().values())

    @property
    def waiting(self) -> int:
        """Segments that are not written as they are now."""
        return len(self._waiting)

    def put(self, segment: Segment) -> None:
        """Have one written as it is now; never waits."""
        with self._lock:
            if segment.id in self._unwanted:
                return
            self._waiting[segment.id] = replace(segment, replica=self._replica)
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
                self._lost += 1

    def boxes_of(self, stream: str) -> StreamBoxes:
        """Where that stream's samples go."""
        with self._lock:
            return self._boxes.setdefault(stream, StreamBoxes(stream))

    def boxes(self) -> Mapping[str, StreamBoxes]:
        """Where samples go, by stream."""
        with self._lock:
            return dict(self._boxes)

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of these that wait."""
        with self._lock:
            return {id_ for id_ in ids if id_ in self._waiting}

    def forget(self, ids: Iterable[str]) -> None:
        """They were removed: what is still said of them does not count."""
        for boxes in self.boxes().values():
            for id_ in ids:
                boxes.forget(id_)
        with self._lock:
            for id_ in ids:
                self._waiting.pop(id_, None)
                self._unwanted[id_] = None
            while len(self._unwanted) > MOST_UNWANTED:
                del self._unwanted[next(iter(self._unwanted))]

    def flush(self) -> None:
        """Write down what waits. Blocks.

        Raises:
            DatabaseAway: it waits on.
        """
        with self._lock:
            segments, self._waiting = self._waiting, {}
        sources = self.boxes()
        taken = {stream: boxes.take() for stream, boxes in sources.items()}
        try:
            self._write(list(segments.values()), taken)
        except BaseException:
            with self._lock:
                newer = self._waiting
                self._waiting = {id_: each for id_, each in segments.items() if id_ not in self._unwanted} | newer
            for stream, (boxes, seen) in taken.items():
                sources[stream].put_back(boxes, seen)
            raise
        for stream, (boxes, _) in taken.items():
            sources[stream].written(boxes)

    def _write(
        self, segments: Sequence[Segment], taken: Mapping[str, tuple[Sequence[PlacedBoxes], SeenMinutes]]
    ) -> None:
        boxes = [each for found, _ in taken.values() for each in found]
        seen = {key: value for _, found in taken.values() for key, value in found.items()}
        if not (segments or boxes or seen):
            return

        def write_all(cursor: Cursor) -> None:
            segment_table.put(cursor, segments)
            box_table.put(cursor, boxes)
            seen_table.add(cursor, seen)

        try:
            self._transact(write_all, segments)
        except BadRow:  # one that the database will not have must not keep the others out
            for segment in segments:
                self._alone(partial(segment_table.put, segments=[segment]), [segment])
            for placed in boxes:
                self._alone(partial(box_table.put, boxes=[placed]), [])
            for key, value in seen.items():
                self._alone(partial(seen_table.add, seen={key: value}), [])

    def _alone(self, change: Callable[[Cursor], None], segments: Sequence[Segment]) -> None:
        try:
            self._transact(change, segments)
        except BadRow as error:
            self._lost += 1
            log.error("the database refuses what belongs to a recording: %s", error)

    def _transact(self, change: Callable[[Cursor], None], segments: Sequence[Segment]) -> None:
        with self._database.writing() as cursor:
            before = segment_table.sizes_of(cursor, [segment.id for segment in segments])
            change(cursor)
        for segment in segments:
            self._held.add(segment.stream, segment.size - before.get(segment.id, 0))
