"""streamer.source.pace: when a picture is due that did not come as it happened."""

import pytest

from streamer.source.pace import Pace

NOW = 5000.0


def test_pictures_are_as_far_apart_as_they_were_recorded() -> None:
    """However fast they are read, pictures are due as far apart as their times are, from now on."""
    pace = Pace(0.04)
    assert [pace.due(7 + index / 25, NOW) for index in range(50)] == pytest.approx(
        [NOW + index / 25 for index in range(50)]
    )


def test_a_recording_that_begins_again_goes_on() -> None:
    """Where time goes back, the next picture follows the last by one interval."""
    pace = Pace(0.04)
    due = [pace.due(time, NOW) for time in (0.0, 0.04, 0.08, 0.0, 0.04)]
    assert due == pytest.approx([NOW + 0.04 * index for index in range(5)])


def test_a_picture_without_a_time_follows_by_an_interval() -> None:
    """Pictures without times are due at the recording's own rate, and a still picture is not shown in a hurry."""
    pace = Pace(0.1)
    assert [pace.due(None, NOW) for _ in range(3)] == pytest.approx([NOW, NOW + 0.1, NOW + 0.2])
    still = Pace(0.1)
    assert [still.due(0.0, NOW) for _ in range(3)] == pytest.approx([NOW, NOW + 0.1, NOW + 0.2])


def test_a_cut_is_not_waited_for() -> None:
    """A jump of an hour in a recording's times is a cut, not an hour's pause."""
    pace = Pace(0.04)
    pace.due(0.0, NOW)
    assert pace.due(3600.0, NOW) == pytest.approx(NOW + 0.04)


def test_lateness_is_accepted_and_not_caught_up() -> None:
    """After a network's pause of seconds pictures are due from then on, instead of all at once."""
    pace = Pace(0.04)
    pace.due(0.0, NOW)
    due = [pace.due(0.04 * (1 + index), NOW + 3) for index in range(3)]
    assert due == pytest.approx([NOW + 3, NOW + 3.04, NOW + 3.08])


def test_a_little_lateness_is_caught_up() -> None:
    """A tenth of a second is made good again, so that a recording keeps its length."""
    pace = Pace(0.04)
    pace.due(0.0, NOW)
    assert pace.due(0.04, NOW + 0.14) == pytest.approx(NOW + 0.04)
