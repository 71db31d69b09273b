"""Points, polygons and directed lines."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from streamer.events.shape import contains, cross, depth, distance, side
from streamer.values.place import Point

SHARE = st.floats(0, 1)
POINT = st.tuples(SHARE, SHARE)
SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


@given(POINT)
def test_depth_says_inside_as_contains_does(point: Point) -> None:
    """Above 0 is inside and below outside, and for a square it is the distance to the nearest edge."""
    x, y = point
    deep = depth(SQUARE, point)
    assume(abs(deep) > 1e-9)
    assert (deep > 0) == contains(SQUARE, point) == (0.25 < x < 0.75 and 0.25 < y < 0.75)
    if deep > 0:
        assert math.isclose(deep, min(x - 0.25, 0.75 - x, y - 0.25, 0.75 - y), abs_tol=1e-9)


@given(POINT, POINT, POINT)
def test_sides_are_opposite_seen_from_the_other_end(start: Point, end: Point, at: Point) -> None:
    """A line turned round has its left where its right was; and a point is no nearer than its side says."""
    assume(math.dist(start, end) > 1e-3)
    assert math.isclose(side(start, end, at), -side(end, start, at), abs_tol=1e-9)
    assert distance(start, end, at) >= abs(side(start, end, at)) - 1e-9


@given(POINT, POINT, POINT, POINT)
def test_crossing_is_the_same_both_ways(a: Point, b: Point, c: Point, d: Point) -> None:
    """Who crosses a line going crosses it coming back; and the line crosses his way."""
    assume(min(abs(side(a, b, c)), abs(side(a, b, d)), abs(side(c, d, a)), abs(side(c, d, b))) > 1e-6)
    assert cross(a, b, c, d) == cross(a, b, d, c) == cross(c, d, a, b)


def test_the_right_of_a_line_upwards_is_the_pictures_right() -> None:
    """y grows downwards, so from the bottom to the top the greater x is to the right."""
    assert side((0.5, 1.0), (0.5, 0.0), (0.8, 0.5)) > 0
