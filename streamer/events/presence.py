"""Whether one thing is in a zone, and which side of a line it is on: from sample to sample, without flickering. Pure.

A box trembles by some pixels, so a thing near an edge would come and go with every sample. What is clearly across, by
MARGIN, counts at once; what is across by less counts when two samples in a row say so.
"""

from dataclasses import dataclass
from typing import Literal

from streamer.events import shape
from streamer.values.place import Point

MARGIN = 8 / 768
"""Of the picture's width."""

Direction = Literal["forward", "backward"]


@dataclass(slots=True)
class Presence:
    """One thing and one zone."""

    since: float | None = None
    """When it came in; None: it is outside."""
    told: bool = False
    """Whether it has been in for long enough to be told."""
    _doubted: bool = False
    """Whether the sample before said otherwise, by less than MARGIN."""

    def update(self, polygon: tuple[Point, ...], point: Point, at: float) -> Literal["enter", "leave"] | None:
        """Take in where it is now; whether it came or went by that."""
        deep = shape.depth(polygon, point)
        is_in = self.since is not None
        if (deep > 0) == is_in:
            self._doubted = False
            return None
        if abs(deep) < MARGIN and not self._doubted:
            self._doubted = True
            return None
        self._doubted = False
        self.since, self.told = (None if is_in else at), False
        return "leave" if is_in else "enter"


@dataclass(slots=True)
class Crossing:
    """One thing and one line."""

    _at: Point | None = None
    """Where it was last clearly on one side."""

    def update(self, line: tuple[Point, Point], point: Point) -> Direction | None:
        """Take in where it is now; how it crossed since it was clearly on the other side."""
        now = shape.side(*line, point)
        if abs(now) < MARGIN:
            return None
        before, self._at = self._at, point
        if before is None or not shape.cross(*line, before, point):
            return None
        return "forward" if now > 0 else "backward"
