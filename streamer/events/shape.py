"""Points, polygons and directed lines in a picture. Pure.

Coordinates are shares of the picture's width, y too: a picture of 1280×720 goes from (0, 0) to (1, 0.5625), so that a
distance is the same in every direction. y grows downwards.
"""

import math
from collections.abc import Iterator, Sequence

from streamer.values.place import Point


def scaled(points: Sequence[Point], aspect: float) -> tuple[Point, ...]:
    """Points in 0..1 both ways, in the coordinates of this file.

    Args:
        points: as they are configured.
        aspect: the picture's height by its width.
    """
    return tuple((x, y * aspect) for x, y in points)


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether a point lies in a polygon, by the even-odd rule; of what crosses itself, the parts covered once."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in _edges(polygon):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def depth(polygon: Sequence[Point], point: Point) -> float:
    """How far a point is from a polygon's edge: above 0 inside, below 0 outside."""
    nearest = min(distance(start, end, point) for start, end in _edges(polygon))
    return nearest if contains(polygon, point) else -nearest


def distance(start: Point, end: Point, point: Point) -> float:
    """From a point to a line between two others."""
    (x1, y1), (x2, y2), (x, y) = start, end, point
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else min(1.0, max(0.0, ((x - x1) * dx + (y - y1) * dy) / length))
    return math.hypot(x - x1 - share * dx, y - y1 - share * dy)


def side(start: Point, end: Point, point: Point) -> float:
    """How far a point is to the right of a directed line, going on for ever both ways; below 0: to its left."""
    (x1, y1), (x2, y2), (x, y) = start, end, point
    dx, dy = x2 - x1, y2 - y1
    return (dx * (y - y1) - dy * (x - x1)) / max(math.hypot(dx, dy), 1e-9)


def cross(start: Point, end: Point, before: Point, after: Point) -> bool:
    """Whether the way from `before` to `after` leads over the line between its ends, and not past one of them."""
    one, other = side(start, end, before), side(start, end, after)
    if (one < 0) == (other < 0):
        return False
    return (side(before, after, start) < 0) != (side(before, after, end) < 0)


def _edges(polygon: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(polygon, (*polygon[1:], polygon[0]), strict=True)
