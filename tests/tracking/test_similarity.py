"""streamer.tracking.similarity: a picture shifted, turned and scaled into another."""

import cmath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.similarity import STILL, Similarity

NUMBERS = st.floats(-1000, 1000)
SIMILARITIES = st.builds(
    lambda scale, angle, x, y: Similarity(cmath.rect(scale, angle), complex(x, y)),
    st.floats(0.2, 5),
    st.floats(-3, 3),
    NUMBERS,
    NUMBERS,
)
POINTS = st.builds(complex, NUMBERS, NUMBERS)


@given(SIMILARITIES, SIMILARITIES, POINTS)
def test_one_after_the_other_is_both(first: Similarity, second: Similarity, point: complex) -> None:
    """A similarity after another leads each point where the two lead it in turn, and its inverse leads it back."""
    both = second.after(first)
    assert both.point(point) == pytest.approx(second.point(first.point(point)))
    assert both.inverse().point(both.point(point)) == pytest.approx(point, abs=1e-6)


@given(SIMILARITIES, st.floats(0, 1), POINTS)
def test_a_part_leads_part_of_the_way(similarity: Similarity, share: float, point: complex) -> None:
    """None of a similarity is no motion, all of it is itself, and between them a point is on the way."""
    assert similarity.part(0).point(point) == point
    assert similarity.part(1).point(point) == pytest.approx(similarity.point(point))
    way = similarity.point(point) - point
    assert similarity.part(share).point(point) == pytest.approx(point + share * way, abs=1e-6)


@given(SIMILARITIES, POINTS, st.floats(1, 100), st.floats(1, 100))
def test_a_box_goes_with_its_centre(similarity: Similarity, centre: complex, width: float, height: float) -> None:
    """A box's centre moves as any point, and its sides by the scale; a velocity is turned and scaled alone."""
    (box,) = similarity.boxes(np.array([[centre.real, centre.imag, width, height]]))
    assert complex(box[0], box[1]) == pytest.approx(similarity.point(centre), abs=1e-6)
    assert box[2:] == pytest.approx([width * similarity.scale, height * similarity.scale])
    (motion,) = similarity.motions(np.array([[centre.real, centre.imag, width, height]]))
    assert complex(*motion[:2]) == pytest.approx(similarity.turn * centre, abs=1e-6)
    assert motion[2:] == pytest.approx(box[2:])


def test_still_moves_nothing() -> None:
    """Where nothing moved, everything is where it was."""
    assert STILL.point(3 + 4j) == 3 + 4j
    assert STILL.scale == 1
