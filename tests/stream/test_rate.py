"""streamer.stream.rate: how often something happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.rate import WINDOW, Rate


def test_unknown_until_it_happened_twice() -> None:
    """A rate is None until two events have happened."""
    rate = Rate()
    assert rate.at(10.0) is None
    rate.add(10.0)
    assert rate.at(10.1) is None
    rate.add(10.5)
    assert rate.at(10.6) == pytest.approx(2.0)


@pytest.mark.parametrize("fps", [0.5, 5.0, 30_000 / 1001, 120.0])
def test_steady_events_give_their_rate(fps: float) -> None:
    """Events that come evenly give exactly their rate."""
    rate = Rate()
    for index in range(round(20 * fps)):
        rate.add(index / fps)
    assert rate.at((round(20 * fps) - 1) / fps) == pytest.approx(fps)


def test_zero_after_it_stopped() -> None:
    """A rate that was known falls to 0, not to None, when events stop."""
    rate = Rate()
    for index in range(30):
        rate.add(index / 30)
    assert rate.at(1.0) == pytest.approx(30)
    assert rate.at(60.0) == 0.0
    rate.add(60.0)
    rate.add(60.1)
    assert rate.at(60.1) == pytest.approx(10)


def test_only_the_last_seconds_count() -> None:
    """Three seconds after a change the rate is the new one alone."""
    rate = Rate()
    for index in range(300):
        rate.add(index / 30)
    for index in range(50):
        rate.add(10 + index / 10)
    assert rate.at(10 + 49 / 10) == pytest.approx(10)


def test_events_at_one_instant_have_no_rate() -> None:
    """Two events at the very same time divide nothing by zero."""
    rate = Rate()
    rate.add(1.0)
    rate.add(1.0)
    assert rate.at(1.0) is None


def test_a_burst_is_no_rate() -> None:
    """Frames that come in a burst are as many a second as their own times say."""
    rate = Rate()
    for index in range(28):
        rate.add(100.0 + index / 1000, index / 30)
    assert rate.at(100.03) == pytest.approx(30)


def test_rare_events_have_a_longer_window() -> None:
    """One event in five seconds is a rate when the window is long enough for two."""
    rate = Rate(window=15.0)
    for index in range(4):
        rate.add(index * 5.0)
    assert rate.at(16.0) == pytest.approx(0.2)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 0.5)), max_size=100), st.floats(0, 10))
def test_a_rate_is_never_absurd(events: list[tuple[float, float]], later: float) -> None:
    """Whatever comes when, a rate is None or what the window's events give, never negative, and 0 once they end."""
    rate, now, happened = Rate(), 100.0, list[tuple[float, float]]()
    for wait, delay in events:
        now += wait
        happened.append((now, now - delay))
        rate.add(*happened[-1])
        found = rate.at(now)
        assert found is None or found >= 0
    found = rate.at(now + later)
    recent = [own for noticed, own in happened if noticed >= now + later - WINDOW]
    if len(recent) < 2:
        assert found in (None, 0.0)
    elif recent[-1] > recent[0]:
        assert found == pytest.approx((len(recent) - 1) / (recent[-1] - recent[0]))


def test_events_of_which_only_the_last_is_known_count() -> None:
    """Pictures of which every sixth is decoded come as often as all of them do."""
    rate = Rate()
    for index in range(0, 60, 6):
        rate.add(index / 30, count=6)
    assert rate.at(54 / 30) == pytest.approx(30)
