"""Zones and lines of a stream, as they are configured. Values."""

from dataclasses import dataclass
from typing import Literal

from streamer.values.event import Box
from streamer.values.hours import Hours

Point = tuple[float, float]
Anchor = Literal["bottom", "center"]


@dataclass(frozen=True, slots=True)
class Asks:
    """Which things count at a place; all of these at once."""

    labels: frozenset[str] = frozenset()
    """Empty: of any class."""
    min_score: float = 0.0
    min_size: float = 0.0
    """Of the box, as a share of the picture."""
    max_size: float = 1.0
    hours: tuple[Hours, ...] = ()
    """Empty: at any time."""

    def take(self, label: str, score: float, size: float) -> bool:
        """Whether such a thing counts, whatever the hour."""
        of_class = not self.labels or label in self.labels
        return of_class and score >= self.min_score and self.min_size <= size <= self.max_size


ANYTHING = Asks()


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon."""

    name: str
    points: tuple[Point, ...]
    """At least three, in 0..1 of the picture's width and height."""
    dwell: float | None = None
    """Seconds in it after which that is told."""
    anchor: Anchor = "bottom"
    asks: Asks = ANYTHING


@dataclass(frozen=True, slots=True)
class Line:
    """A directed line: over it from left to right, looking from its first point to its second, is forward."""

    name: str
    points: tuple[Point, Point]
    anchor: Anchor = "bottom"
    asks: Asks = ANYTHING


@dataclass(frozen=True, slots=True)
class Places:
    """All of one stream's."""

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    masks: tuple[tuple[Point, ...], ...] = ()
    """Polygons in which nothing counts: a tree, a screen, somebody else's ground."""


NOWHERE = Places()


def anchored(anchor: Anchor, box: Box, width: int) -> Point:
    """The point of a box, in pixels, that is in a place or not: where it stands, or its middle; in picture widths."""
    x_min, y_min, x_max, y_max = box
    return (x_min + x_max) / 2 / width, (y_max if anchor == "bottom" else (y_min + y_max) / 2) / width
