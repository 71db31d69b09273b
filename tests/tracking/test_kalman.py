"""streamer.tracking.kalman: where things are and how they move."""

import cmath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.tracking.kalman import DEVIATION, EDGE, LEAST_SIDE, LONGEST, States, begun
from streamer.tracking.similarity import STILL, Similarity

WIDTH = 1280
BOXES = np.array([[300.0, 200.0, 40.0, 60.0], [900.0, 500.0, 200.0, 80.0]])


def filtered(seen: list[NDArray[np.float64]], seconds: float = 0.2, *, faint: bool = False) -> States:
    """What is known after each was seen, one after the other."""
    states = begun(seen[0], WIDTH)
    rows = np.arange(len(seen[0]))
    for boxes in seen[1:]:
        states = states.predicted(seconds, WIDTH).corrected(rows, boxes, np.full(len(rows), faint), WIDTH)
    return states


def test_a_thing_seen_first_stands_where_it_is() -> None:
    """Of one sample the place is known as well as the model says it, and no velocity."""
    states = begun(BOXES, WIDTH)
    np.testing.assert_array_equal(states.ahead(3.0), BOXES)
    for variance, shorter in zip(states.covariances[0, :, 0], (40.0, 80.0), strict=True):
        assert variance == pytest.approx((DEVIATION + EDGE * min(shorter, LONGEST)) ** 2)


def test_a_steady_motion_is_learned() -> None:
    """Things that move and grow steadily are soon ahead of where they were seen last, by what they move."""
    velocity = np.array([[80.0, -40.0, 10.0, 12.0], [-120.0, 60.0, 0.0, 0.0]])
    states = filtered([BOXES + velocity * 0.2 * number for number in range(15)])
    np.testing.assert_allclose(states.ahead(0.2), BOXES + velocity * 3.0, atol=1.5)
    np.testing.assert_allclose(states.velocities[:, :2], velocity[:, :2], atol=6)


def test_noise_is_smoothed() -> None:
    """Of a thing that stands the filter is nearer to the truth than what the model says."""
    dice = np.random.default_rng(1)
    noise = [dice.normal(0, 4, BOXES.shape) for _ in range(400)]
    states, errors = begun(BOXES + noise[0], WIDTH), []
    for each in noise[1:]:
        states = states.predicted(0.2, WIDTH).corrected(np.arange(2), BOXES + each, np.zeros(2, bool), WIDTH)
        errors.append(states.boxes - BOXES)
    assert np.std(errors[20:]) < 0.75 * 4


def test_a_faint_row_moves_less() -> None:
    """A faint answer draws the filter less towards itself than a strong one."""
    seen = [BOXES, BOXES + 10]
    strong, faint = filtered(seen), filtered(seen, faint=True)
    assert (faint.boxes < strong.boxes).all()
    assert (faint.covariances[0] > strong.covariances[0]).all()


def test_what_is_not_found_stays_as_it_is() -> None:
    """A correction changes those it is about, and of the others not one bit."""
    states = filtered([BOXES, BOXES + 5, BOXES + 10]).predicted(0.2, WIDTH)
    one = states.corrected(np.array([1]), BOXES[1:] + 12, np.array([False]), WIDTH)
    both = states.corrected(np.array([1, 0]), BOXES[::-1] + 12, np.array([False, True]), WIDTH)
    for name in ("boxes", "velocities", "covariances"):
        before, after, all_after = (np.moveaxis(getattr(each, name), -2, 0) for each in (states, one, both))
        np.testing.assert_array_equal(after[0], before[0])
        np.testing.assert_array_equal(after[1], all_after[1])
        assert (all_after[0] != before[0]).any()


def test_what_is_not_seen_becomes_less_certain() -> None:
    """Without a correction a thing goes on as it did, and its place is known less with every second."""
    states = filtered([BOXES, BOXES + 5, BOXES + 10])
    later = states.predicted(0.2, WIDTH).predicted(0.2, WIDTH)
    np.testing.assert_allclose(later.boxes, states.ahead(0.4))
    assert (later.covariances[0] > states.covariances[0]).all()


def test_a_camera_carries_all_it_knows() -> None:
    """A camera's turn and zoom carry place, size and velocity; all of it again the other way is what was."""
    states = filtered([BOXES, BOXES + 5, BOXES + 10])
    camera = Similarity(cmath.rect(1.2, 0.3), 40 - 25j)
    moved, turn = (
        states.moved(camera),
        np.array([[camera.turn.real, camera.turn.imag], [-camera.turn.imag, camera.turn.real]]),
    )
    np.testing.assert_allclose(moved.velocities[:, :2], states.velocities[:, :2] @ turn)
    np.testing.assert_allclose(moved.velocities[:, 2:], states.velocities[:, 2:] * 1.2)
    back = moved.moved(camera.inverse())
    for name in ("boxes", "velocities", "covariances"):
        np.testing.assert_allclose(getattr(back, name), getattr(states, name))
    np.testing.assert_array_equal(states.moved(STILL).boxes, states.boxes)


def test_the_size_of_the_picture_changes_nothing() -> None:
    """Half a picture's pixels give half the numbers, and the same judgement."""
    seen = [BOXES, BOXES + 7, BOXES + 20]
    whole = filtered(seen)
    states, rows = begun(seen[0] / 2, WIDTH // 2), np.arange(2)
    for boxes in seen[1:]:
        states = states.predicted(0.2, WIDTH // 2).corrected(rows, boxes / 2, np.zeros(2, bool), WIDTH // 2)
    np.testing.assert_allclose(states.boxes * 2, whole.boxes)


SIDES = st.floats(0.01, 2000)
STEPS = st.lists(
    st.tuples(st.floats(0.001, 30), st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), SIDES, SIDES), st.booleans()),
    max_size=12,
)


@given(STEPS)
def test_whatever_is_seen_it_stays_a_filter(
    steps: list[tuple[float, tuple[float, float, float, float], bool]],
) -> None:
    """Whatever is seen and however seldom, variances stay positive, correlations below one, and sides above nothing."""
    states = begun(BOXES[:1], WIDTH)
    for seconds, box, faint in steps:
        states = states.predicted(seconds, WIDTH).corrected(np.array([0]), np.array([box]), np.array([faint]), WIDTH)
        value, shared, speed = states.covariances
        assert (value > 0).all()
        assert (speed > 0).all()
        assert (shared**2 <= value * speed * (1 + 1e-6)).all()
        assert (states.boxes[:, 2:] >= LEAST_SIDE).all()
        assert (states.ahead(5.0)[:, 2:] >= LEAST_SIDE).all()
        assert np.isfinite(states.boxes).all()
