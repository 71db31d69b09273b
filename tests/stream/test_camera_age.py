"""streamer.stream.camera_age: a camera's word on how old its pictures are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.camera_age import LEAST, MOST, STEADY, WINDOW, CameraAge


def told(*ages: float) -> list[float | None]:
    """What is believed of each of these."""
    camera_age = CameraAge()
    return [camera_age.take(age) for age in ages]


def test_a_steady_clock_is_believed_after_two_windows() -> None:
    """Two windows whose youngest pictures are as old: from then on each age is believed, a slow line's too."""
    found = told(*[0.03] * (2 * WINDOW), 0.4)
    assert found[: 2 * WINDOW - 1] == [None] * (2 * WINDOW - 1)
    assert found[2 * WINDOW - 1 :] == [0.03, 0.4]


@pytest.mark.parametrize("age", [LEAST - 0.01, MOST + 0.01, -3600.0, 86_400.0, float("nan")])
def test_a_clock_that_is_not_ours_is_not_believed(age: float) -> None:
    """A picture from the future, or from long ago, ends belief; it begins anew."""
    assert told(*[0.03] * (3 * WINDOW), age, 0.03)[-2:] == [None, None]


def test_a_clock_that_leaps_is_not_believed() -> None:
    """The youngest of a window parts from that of the one before by more than lines do."""
    leapt = 0.03 + STEADY + 0.01
    found = told(*[0.03] * (2 * WINDOW), *[leapt] * WINDOW, *[leapt] * WINDOW)
    assert found[3 * WINDOW - 1] is None
    assert found[-1] == leapt


@given(st.lists(st.floats(), max_size=100))
def test_what_is_believed_lies_within_limits(ages: list[float]) -> None:
    """Whatever a camera says."""
    assert all(age is None or 0 <= age <= MOST for age in told(*ages))
