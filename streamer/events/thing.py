"""One thing that is followed, from its first sample: what it becomes an event of, and where it has been."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from streamer.events.presence import Crossing, Presence
from streamer.events.shape import contains, scaled
from streamer.values.event import Box, Event, Mark
from streamer.values.place import Places, Point, Zone, anchored
from streamer.values.sight import Look, Sight
from streamer.values.uuid7 import uuid7

BETTER = 1.1
"""A picture takes the place of another where what it shows is better by a tenth: not with every sample."""
MOST_MARKS = 100
"""Of one thing: one that dances on an edge for a day must not grow without end."""
EDGE = 2.0
"""Pixels from the frame's edge within which a box is taken to be cut by it."""


@dataclass(slots=True)
class Thing:
    """One."""

    tracker_id: int
    first_at: float
    first_pts: float
    last_at: float
    last_pts: float
    """When it was found last, faintly or not."""
    found: float = 0.0
    """The same in seconds of answered samples, by which it ends: while the model is silent nothing is missed."""
    event: Event | None = None
    """None: it is not confirmed."""
    quality: float = 0.0
    """Of the best picture."""
    told_at: float = 0.0
    """When its event was last told of."""
    pictured: bool = False
    """Whether its event was told with a picture."""
    presences: dict[str, Presence] = field(default_factory=dict)
    crossings: dict[str, Crossing] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    """All it has been in, in that order."""
    marks: tuple[Mark, ...] = ()

    def see(self, look: Look, answered: float) -> None:
        """A sample found it, `answered` seconds of such samples into the stream."""
        self.last_at, self.last_pts, self.found = look.at, look.pts, answered

    def begin(self, look: Look, sight: Sight) -> Event:
        """It is confirmed."""
        self.event = Event(
            id=uuid7(self.first_at),
            stream=look.stream,
            label=sight.label,
            class_id=sight.class_id,
            tracker_id=sight.tracker_id,
            model=look.model,
            version=look.version,
            began_at=self.first_at,
            last_at=look.at,
            began_pts=self.first_pts,
            last_pts=look.pts,
            score=max(sight.scores),
            box=sight.box,
            width=look.width,
            height=look.height,
        )
        return self.event

    def known(self) -> Event:
        """Its event, as it is known by now."""
        assert self.event is not None  # noqa: S101  asked for confirmed ones
        self.event = replace(
            self.event, last_at=self.last_at, last_pts=self.last_pts, zones=self.zones, marks=self.marks
        )
        return self.event

    def has_stayed(self, dwells: Sequence[float]) -> bool:
        """Whether it has been in view, or in a zone, for so many seconds since its event was last told."""
        assert self.event is not None  # noqa: S101
        if not dwells:
            return False
        told, now = self.event.last_at, self.last_at
        begun = [self.first_at, *(each.since for each in self.presences.values() if each.since is not None)]
        return any(told < since + dwell <= now for since in begun for dwell in dwells)

    def improves(self, look: Look, sight: Sight) -> bool:
        """Whether this sample shows it better than any before; its event has the box and score of the best."""
        assert self.event is not None  # noqa: S101
        if sight.is_faint:
            return False
        score = max(self.event.score, sight.score)
        quality = sight.score * visible_share(sight.box, look.width, look.height)
        self.event = replace(self.event, score=score, label=sight.label, class_id=sight.class_id)
        if quality < BETTER * self.quality:
            return False
        self.quality = quality
        self.event = replace(self.event, box=sight.box, width=look.width, height=look.height)
        return True


def visible_share(box: Box, width: int, height: int) -> float:
    """How much of a thing can be thought to be in the picture: a box at its edge goes on beyond."""
    x_min, y_min, x_max, y_max = box
    cut = (x_min <= EDGE) + (y_min <= EDGE) + (x_max >= width - EDGE) + (y_max >= height - EDGE)
    return 0.5**cut


def place(thing: Thing, sight: Sight, look: Look, places: Places, open_now: frozenset[str]) -> list[Mark]:
    """Take in where a thing is; returns what it did at zones and lines by that.

    Args:
        thing: whose zones and marks are brought up to date.
        sight: of it.
        look: the sample.
        places: of the stream.
        open_now: names of those whose hours it is.
    """
    aspect = look.height / look.width
    size = (sight.box[2] - sight.box[0]) * (sight.box[3] - sight.box[1]) / (look.width * look.height)
    marks: list[Mark] = []
    for zone in places.zones:
        presence = thing.presences.setdefault(zone.name, Presence())
        if presence.since is None and not (zone.name in open_now and zone.asks.take(sight.label, sight.score, size)):
            continue  # who is in stays in until he leaves, whatever his score by then
        point = anchored(zone.anchor, sight.box, look.width)
        marks += _at_zone(zone, presence, scaled(zone.points, aspect), point, look.at)
    for line in places.lines:
        if not (line.name in open_now and line.asks.take(sight.label, sight.score, size)):
            continue
        start, end = scaled(line.points, aspect)
        crossing = thing.crossings.setdefault(line.name, Crossing())
        direction = crossing.update((start, end), anchored(line.anchor, sight.box, look.width))
        if direction is not None:
            marks.append(Mark("cross", line.name, look.at, direction))
    entered = [mark.where for mark in marks if mark.kind == "enter" and mark.where not in thing.zones]
    thing.zones += tuple(entered)
    thing.marks = (*thing.marks, *marks)[-MOST_MARKS:]
    return marks


def _at_zone(zone: Zone, presence: Presence, polygon: tuple[Point, ...], point: Point, at: float) -> list[Mark]:
    kind = presence.update(polygon, point, at)
    if kind is not None:
        return [Mark(kind, zone.name, at)]
    if zone.dwell is None or presence.since is None or presence.told or at - presence.since < zone.dwell:
        return []
    presence.told = True
    return [Mark("dwell", zone.name, at)]


def is_masked(sight: Sight, look: Look, places: Places) -> bool:
    """Whether it stands where nothing counts."""
    point = anchored("bottom", sight.box, look.width)
    return any(contains(scaled(mask, look.height / look.width), point) for mask in places.masks)
