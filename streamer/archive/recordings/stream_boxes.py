"""One stream's boxes on their way to the segments their pictures are in.

A sample is answered before its segment begins, where nothing is recorded until an event does, and after its segment
has ended, where the model takes its time: it waits, for as long as its segment may yet begin.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.box_sample import BoxSample, sample_of
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.seen_table import MINUTE, SeenKey, SeenMinutes
from streamer.archive.recordings.segment import Segment
from streamer.values.coded import MICROSECONDS
from streamer.values.track import TrackedBox

WAIT = 90 * MICROSECONDS
"""Of the stream's own time, that a sample waits for its segment: longer than `record.before` can be."""
MOST_WAITING = 20_000
"""Boxes that wait, and samples; then the oldest go."""
LATE = 2
"""Segments that have ended and may still be given the boxes of late answers."""
MOST_UNWRITTEN = 60
"""Segments whose boxes wait for a database that is away; then the oldest are lost, and counted."""


@dataclass(slots=True)
class _Waiting:
    opening: int
    coded_at: int
    sample: BoxSample
    is_counted: bool = False
    """In what was seen in its minute."""


@dataclass(slots=True)
class _Placed:
    """A segment that takes samples."""

    segment: Segment
    opening: int
    last_time: int | None = None
    """Of its last picture; None: it goes on."""
    samples: dict[int, _Waiting] = field(default_factory=dict)
    """By media time."""
    is_changed: bool = False
    is_taken: bool = False
    """Somebody is writing it down."""

    def holds(self, opening: int, coded_at: int) -> bool:
        return (
            opening == self.opening
            and coded_at >= self.segment.first_time
            and (self.last_time is None or coded_at <= self.last_time)
        )


class StreamBoxes:
    """From any thread; nothing of it waits for more than another of its calls."""

    def __init__(self, stream: str) -> None:
        """Have none."""
        self.stream = stream
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_boxes = 0
        self._placed: dict[str, _Placed] = {}
        """By segment id, the newest last."""
        self._seen: dict[SeenKey, tuple[int, float]] = {}
        self.lost = 0
        """Samples of recorded video whose boxes could not be written."""

    def answered(self, opening: int, coded_at: int, size: tuple[int, int], boxes: Sequence[TrackedBox]) -> None:
        """Take in what was drawn on one sampled frame.

        Args:
            opening: Frame.opening.
            coded_at: Frame.coded_at, microseconds.
            size: (width, height) of the frame in pixels.
            boxes: in pixels of it; empty: nothing was there, which is kept too.
        """
        answered = _Waiting(opening, coded_at, sample_of(size, boxes))
        with self._lock:
            self._place(answered)

    def begun(self, segment: Segment, opening: int) -> None:
        """A segment begins, with this opening's picture of `segment.first_time`."""
        with self._lock:
            self._placed[segment.id] = _Placed(segment, opening)
            self._place_again([])

    def ended(self, id_: str, last_time: int) -> None:
        """It ended; its last picture is the one of that time."""
        with self._lock:
            placed = self._placed.get(id_)
            if placed is None:
                return
            placed.last_time = last_time
            last = last_time - placed.segment.first_time
            behind = [placed.samples.pop(time) for time in sorted(placed.samples) if time > last]
            placed.is_changed = placed.is_changed or bool(behind)
            self._place_again(behind)
            self._let_go()

    # ---- for who writes them

    def take(self) -> tuple[list[PlacedBoxes], SeenMinutes]:
        """Segments whose boxes changed, with all of theirs, and what was seen since.

        Say `written` or `put_back` of it then.
        """
        with self._lock:
            taken = [placed for placed in self._placed.values() if placed.is_changed]
            samples = [{time: each.sample for time, each in placed.samples.items()} for placed in taken]
            for placed in taken:
                placed.is_changed, placed.is_taken = False, True
            seen, self._seen = self._seen, {}
        return [
            PlacedBoxes(placed.segment.id, self.stream, placed.segment.began_at, BoxColumns.of(each))
            for placed, each in zip(taken, samples, strict=True)
        ], seen

    def written(self, boxes: Sequence[PlacedBoxes]) -> None:
        """What was taken is kept."""
        with self._lock:
            for each in boxes:
                if each.segment_id in self._placed:
                    self._placed[each.segment_id].is_taken = False
            self._let_go()

    def put_back(self, boxes: Sequence[PlacedBoxes], seen: SeenMinutes) -> None:
        """It could not be written: have it taken again."""
        with self._lock:
            for each in boxes:
                if placed := self._placed.get(each.segment_id):
                    placed.is_changed, placed.is_taken = True, False
            for key, (samples, best) in seen.items():
                self._count(key, samples, best)
            self._let_go()

    def columns(self, id_: str) -> BoxColumns | None:
        """All boxes of a segment, where it is still one of those that take samples; else None."""
        with self._lock:
            placed = self._placed.get(id_)
            if placed is None:
                return None
            samples = {time: each.sample for time, each in placed.samples.items()}
        return BoxColumns.of(samples)

    def forget(self, id_: str) -> None:
        """The segment is there no more."""
        with self._lock:
            self._placed.pop(id_, None)

    # ---- with the lock

    def _place(self, answered: _Waiting) -> None:
        """Put a sample where its picture is, or have it wait."""
        for placed in reversed(self._placed.values()):
            if placed.holds(answered.opening, answered.coded_at):
                placed.samples[answered.coded_at - placed.segment.first_time] = answered
                placed.is_changed = True
                self._see(placed, answered)
                return
        self._waiting.append(answered)
        self._waiting_boxes += len(answered.sample) + 1
        while self._waiting_boxes > MOST_WAITING or self._is_past(self._waiting[0], answered):
            self._waiting_boxes -= len(self._waiting.popleft().sample) + 1

    def _is_past(self, waiting: _Waiting, newest: _Waiting) -> bool:
        return waiting.opening == newest.opening and newest.coded_at - waiting.coded_at > WAIT

    def _place_again(self, more: Sequence[_Waiting]) -> None:
        """Have another look where each of those belongs that wait, and these."""
        waiting = [*self._waiting, *more]
        self._waiting.clear()
        self._waiting_boxes = 0
        for each in waiting:
            self._place(each)

    def _let_go(self) -> None:
        """Of segments that ended, but for the last few, and those that are not written yet."""
        ended = [id_ for id_, placed in self._placed.items() if placed.last_time is not None]
        for id_ in ended[:-LATE]:
            placed = self._placed[id_]
            if not (placed.is_changed or placed.is_taken):
                del self._placed[id_]
            elif len(self._placed) > MOST_UNWRITTEN:
                del self._placed[id_]
                self.lost += len(placed.samples)

    def _see(self, placed: _Placed, answered: _Waiting) -> None:
        if answered.is_counted:
            return
        answered.is_counted = True
        at = placed.segment.began_at + (answered.coded_at - placed.segment.first_time) / MICROSECONDS
        for label, best in answered.sample.labels().items():
            self._count((self.stream, int(at // MINUTE), label), 1, best)

    def _count(self, key: SeenKey, samples: int, best: float) -> None:
        before, best_before = self._seen.get(key, (0, 0.0))
        self._seen[key] = before + samples, max(best, best_before)
