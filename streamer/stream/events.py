"""One stream's events: what its answered samples show becomes events, and those get their pictures."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from streamer.events.confirmation import Rule, Rules
from streamer.events.watch import Change, Outcome, Watch
from streamer.stream.album import Album
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errands import Errands
from streamer.values.event import Boxed, Event, Picture
from streamer.values.followed import Followed
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from streamer.values.sight import Look, Sight
from streamer.values.task_group import together
from streamer.values.track import edges_of
from streamer.values.watching import ABOVE, EventRule, Watching

SILENCE = 60.0
"""Seconds without an answered sample after which events end: a camera that is gone is not watched any more."""
LOOK = 5.0
"""Seconds from one look at that to the next."""
MOST_COUNTED = 1000
"""Lines and labels told apart, as with detections: models come and go, each with names of its own."""

K = TypeVar("K")

OnEvent = Callable[[Event, Picture | None], None]
"""Told of each event as it begins, changes and ends, and of its pictures."""


class StreamEvents:
    """Those of one stream."""

    def __init__(
        self,
        watching: Watching,
        *,
        clock: Clock,
        wall: Clock,
        errands: Errands,
        mishaps: Mishaps,
        on_event: OnEvent,
        dwells: Callable[[], Sequence[float]] = tuple,
    ) -> None:
        """Have seen nothing.

        Args:
            watching: what becomes an event, and where.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            errands: threads that draw pictures, of all streams.
            mishaps: of drawing them.
            on_event: told of what there is to keep.
            dwells: after how many seconds something may come of an event, as it is now; asked at each sample.
        """
        self._watching, self._clock, self._wall, self._on_event = watching, clock, wall, on_event
        self._dwells = dwells
        self._watch = Watch(_rules(watching, 0.5), watching.places)
        self._album = Album(errands, on_event, mishaps)
        self._opening: int | None = None
        self._size: tuple[int, int] | None = None
        self._heard_at = clock()
        self.begun: Counter[str] = Counter()
        """Events, by label."""
        self.ended: Counter[str] = Counter()
        self.crossings: Counter[tuple[str, str, str]] = Counter()
        """By (line, direction, label)."""

    @property
    def going_on(self) -> int:
        """Events that have not ended."""
        return self._watch.going_on

    @property
    def pictures_dropped(self) -> Mapping[str, int]:
        """Frames that were to be pictured and were not, by reason; each reason is there."""
        return self._album.dropped

    def occupancy(self) -> Mapping[tuple[str, str], int]:
        """Confirmed things by (zone, label); every zone is there."""
        return self._watch.occupancy()

    def present(self) -> Mapping[str, int]:
        """Confirmed things by label, wherever they are."""
        return self._watch.present()

    def change(self, watching: Watching) -> None:
        """Go by these settings from the next sample on; what goes on goes on, unless zones or lines have changed."""
        if watching == self._watching:
            return
        if watching.places != self._watching.places:
            self.end()
        self._watching = watching
        self._watch.places = watching.places

    def answered(self, frame: Frame, answer: Detections, min_score: float) -> None:
        """Take in one answered sample.

        Args:
            frame: it was made of.
            answer: followed by the tracker.
            min_score: of the stream; what scores less was half seen.
        """
        now = self._clock()
        self._heard_at = now
        if self._opening is not None and frame.opening < self._opening:
            return  # an answer of a connection that is over, overtaken by one of this
        if (frame.opening, (frame.width, frame.height)) != (self._opening, self._size):
            self.end()  # another connection, or another picture: nothing need be what it was
            self._opening, self._size = frame.opening, (frame.width, frame.height)
        self._watch.rules, self._watch.dwells = _rules(self._watching, min_score), self._dwells()
        look = Look(
            answer.stream,
            answer.pts,
            self._wall() - (now - frame.received_at),
            answer.width,
            answer.height,
            answer.model,
            answer.version,
            tuple(_sights(answer)),
        )
        self._tell(self._watch.update(look), frame, answer)

    def end(self) -> None:
        """End everything that goes on, at when it was seen last."""
        for change in self._watch.stop():
            self._changed(change)

    def listen(self) -> None:
        """End what goes on where nothing was heard for SILENCE."""
        if self._clock() - self._heard_at > SILENCE:
            self.end()

    async def run(self) -> None:
        """Draw pictures, and end what nothing is heard of, until cancelled; then all that goes on ends."""
        try:
            await together(self._album.run(), self._listen())
        finally:
            self.end()

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self.listen()

    def _tell(self, outcome: Outcome, frame: Frame, answer: Detections) -> None:
        for label, mark in outcome.marks:
            if mark.direction is not None:
                _count(self.crossings, (mark.where, mark.direction, label))
        for change in outcome.changes:
            if change.take_picture:
                self._album.take(change.event, frame, tuple(_boxed(answer)))
            self._changed(change)

    def _changed(self, change: Change) -> None:
        if change.kind == "begun":
            _count(self.begun, change.event.label)
        elif change.kind == "ended":
            _count(self.ended, change.event.label)
        self._on_event(change.event, None)
        self._album.know(change.event, keep=change.keep_picture)


def _count(counter: Counter[K], key: K) -> None:
    if key in counter or len(counter) < MOST_COUNTED:
        counter[key] += 1


def _rules(watching: Watching, min_score: float) -> Rules:
    """With what nobody said filled in."""

    def rule(settings: EventRule, otherwise: float) -> Rule:
        return Rule(otherwise if settings.min_score is None else settings.min_score, settings.end_after)

    general = rule(watching.rule, min(1.0, min_score + ABOVE))
    return Rules(general, {label: rule(each, general.min_score) for label, each in watching.of_label.items()})


def _sights(answer: Detections) -> Iterator[Sight]:
    """What is followed in it; what half was seen, too."""
    for faint, rows in ((False, answer), (True, answer.faint)):
        if rows is not None:
            for followed, score, box in zip(rows.followed, rows.scores, rows.boxes, strict=False):
                if followed is not None:
                    yield _sight(followed, float(score), edges_of(box), is_faint=faint)


def _sight(followed: Followed, score: float, box: tuple[float, float, float, float], *, is_faint: bool) -> Sight:
    return Sight(followed.tracker_id, followed.label, followed.class_id, score, box, followed.scores, is_faint=is_faint)


def _boxed(answer: Detections) -> Iterator[Boxed]:
    known = answer.followed or (None,) * len(answer)
    for label, class_id, score, box, followed in zip(
        answer.labels, answer.class_ids, answer.scores, answer.boxes, known, strict=True
    ):
        tracker_id = 0 if followed is None else followed.tracker_id
        yield Boxed(label, int(class_id), round(float(score), 5), edges_of(box), tracker_id)
