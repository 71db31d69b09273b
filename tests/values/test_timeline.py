"""streamer.values.timeline: a source's own timestamps made usable."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.timeline import DRIFT, Timeline

NOW = 5000.0
"""Monotonic arrival of the first frame."""


def play(timeline: Timeline, packets: Sequence[tuple[float | None, float]]) -> list[float]:
    """Where packets, each (pts, seconds after NOW), are placed; placing never goes back."""
    placed = [timeline.place(pts, NOW + arrived) for pts, arrived in packets]
    assert all(after > before for before, after in pairwise(placed))
    return placed


def steady(count: int, *, fps: float = 30.0, pts: float = 0.0, arrived: float = 0.0) -> list[tuple[float, float]]:
    """Packets of a camera that sends evenly."""
    return [(pts + index / fps, arrived + index / fps) for index in range(count)]


@pytest.mark.parametrize("start", [0.0, 0.4, -3.0, 86_400.0, 1.7e9])
def test_pts_is_kept_exactly(start: float) -> None:
    """As long as pts and arrival advance together, frames are as far apart as the camera says, from 0 on."""
    dice = random.Random(1)
    pts = [start + index * 1001 / 30_000 for index in range(3000)]
    placed = play(Timeline(), [(time, time - start + dice.uniform(0, 0.3)) for time in pts])
    # The jitter of the first packet is its own affair: it places the origin, and nothing else.
    assert placed == pytest.approx([placed[0] + time - start for time in pts], abs=1e-6)
    assert placed[0] == 0.0


def test_without_pts_arrival_is_the_time() -> None:
    """A source without timestamps is placed by arrival, and two frames of one instant stay apart."""
    placed = play(Timeline(), [(None, 0.0), (None, 0.1), (None, 0.1), (None, 0.25)])
    assert placed == pytest.approx([0.0, 0.1, 0.101, 0.25])


def test_pts_that_come_and_go_are_joined_at_arrival() -> None:
    """Where timestamps stop and come back, time goes on from the arrival clock."""
    packets = [*steady(30, pts=500), *((None, 1 + index / 30) for index in range(30)), *steady(30, pts=900, arrived=2)]
    assert play(Timeline(), packets) == pytest.approx([index / 30 for index in range(90)], abs=1e-3)


@pytest.mark.parametrize("new_pts", [0.0, 3.0, 1e6])
@pytest.mark.parametrize("away", [0.2, 40.0])
def test_after_a_reconnect_time_goes_on_by_arrival(new_pts: float, away: float) -> None:
    """A source opened anew may start its clock anywhere: its frames follow those before by the time it was away."""
    timeline = Timeline()
    play(timeline, steady(90, pts=7.0))
    timeline.reopened()
    arrived = 89 / 30 + away
    placed = play(timeline, steady(90, pts=new_pts, arrived=arrived))
    assert placed == pytest.approx([arrived + index / 30 for index in range(90)])


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 2.5, -0.5])
def test_a_jump_of_the_cameras_clock_is_not_followed(jump: float) -> None:
    """A camera whose clock is set an hour on or back is placed by arrival at that moment and by its pts again after."""
    packets = [*steady(90, pts=10_000), *steady(90, pts=10_003 + jump, arrived=3.0)]
    assert play(Timeline(), packets) == pytest.approx([index / 30 for index in range(180)], abs=1e-3)


def test_a_camera_restarted_within_a_connection_goes_on() -> None:
    """Timestamps that begin again at 0 without a reconnect are placed by arrival."""
    packets = [*steady(90, pts=777), *steady(90, pts=0, arrived=3.0)]
    assert play(Timeline(), packets) == pytest.approx([index / 30 for index in range(180)], abs=1e-3)


def test_a_burst_after_a_stall_is_lag_and_no_jump() -> None:
    """Frames that a network held back for five seconds and lets go at once keep the camera's times."""
    burst = [(3 + index / 30, 8.0 + index / 10_000) for index in range(150)]
    packets = [*steady(90), *burst, *steady(90, pts=8.0, arrived=8.02)]
    assert play(Timeline(), packets) == pytest.approx([index / 30 for index in range(330)])


def test_a_camera_that_paused_keeps_its_pause() -> None:
    """A camera silent for a minute whose pts went on as well is followed exactly."""
    packets = [*steady(30), *steady(30, pts=61.0, arrived=61.0)]
    assert play(Timeline(), packets) == pytest.approx([pts for pts, _ in packets])


STEPS = st.tuples(
    st.sampled_from([1 / 30, 0.0, 2.0, 600.0]),
    st.sampled_from([1 / 30, 0.0, -0.1, 3600.0, -3600.0, 1e9]),
    st.sampled_from(["timed", "timed", "timed", "untimed", "reopened"]),
)
"""By how much arrival and pts go on, and whether the packet has a pts, or is the first of another connection."""


@given(st.floats(-1e6, 1e6), st.lists(STEPS, min_size=1))
def test_time_never_goes_back(pts: float, steps: list[tuple[float, float, str]]) -> None:
    """Whatever a broken camera sends, time rises with every frame and never runs away from the arrival clock."""
    timeline, arrived, placed = Timeline(), 0.0, list[float]()
    for later, further, how in steps:
        arrived += later if placed else 0.0
        pts += further
        if how == "reopened":
            timeline.reopened()
        placed.append(timeline.place(None if how == "untimed" else pts, NOW + arrived))
    assert placed[0] == 0.0
    assert all(after > before for before, after in pairwise(placed))
    assert placed[-1] < arrived + len(steps) / 30 + 1e-3


# ---- lag


def test_a_packet_on_time_has_no_lag() -> None:
    """Packets as prompt as the promptest have no lag, and a packet held back lags by what it was held back."""
    timeline = Timeline()
    play(timeline, steady(90, pts=50))
    assert timeline.lag(53.0, NOW + 3.0) == pytest.approx(0, abs=0.01)
    assert timeline.lag(53.0, NOW + 5.5) == pytest.approx(2.5, abs=0.01)


def test_lag_is_measured_from_the_promptest_packet() -> None:
    """A slow start counts for nothing once packets came faster: lag is measured from the least delay seen."""
    timeline = Timeline()
    play(timeline, [(0.0, 0.0), (0.1, 0.05), (0.2, 0.0501)])
    assert timeline.lag(0.3, NOW + 0.3 - 0.15 + 1.0) == pytest.approx(1.0, abs=0.01)


def test_a_slow_clock_in_the_camera_is_not_lag() -> None:
    """A camera whose clock loses 200 microseconds a second never seems to lag by that, over a day of a poor network."""
    timeline = Timeline()
    for second in range(0, 86_400, 10):
        pts = second * (1 - 200e-6)
        assert timeline.lag(pts, NOW + second) < 0.01
        timeline.place(pts, NOW + second + (0.4 if second % 2000 else 0.0))
    assert DRIFT > 200e-6


def test_an_accepted_delay_is_the_new_least() -> None:
    """Once a longer way is accepted, packets that take as long have no lag."""
    timeline = Timeline()
    play(timeline, steady(30))
    assert timeline.lag(1.0, NOW + 4.0) == pytest.approx(3.0, abs=0.01)
    timeline.accept_delay(1.0, NOW + 4.0)
    assert timeline.lag(2.0, NOW + 5.0) == pytest.approx(0.0, abs=0.01)
    assert timeline.lag(2.0, NOW + 5.5) == pytest.approx(0.5, abs=0.01)


def test_nothing_lags_before_the_first_frame() -> None:
    """Before a first frame, after reopening, and with sources without timestamps there is no lag."""
    timeline = Timeline()
    assert timeline.lag(5.0, NOW) == 0.0
    timeline.accept_delay(5.0, NOW)
    timeline.place(0.0, NOW)
    timeline.reopened()
    assert timeline.lag(900.0, NOW + 60) == 0.0
    timeline.place(None, NOW + 60)
    assert timeline.lag(901.0, NOW + 61) == 0.0


def test_a_jump_of_the_camera_begins_lag_anew() -> None:
    """After the camera's clock was set back an hour nothing seems to lag by an hour."""
    timeline = Timeline()
    play(timeline, [*steady(30, pts=7200), *steady(30, pts=3600, arrived=1.0)])
    assert timeline.lag(3601.0, NOW + 2.0) == pytest.approx(0, abs=0.01)
    play_on = [timeline.place(3601 + index / 30, NOW + 2 + index / 30) for index in range(30)]
    assert play_on == pytest.approx([2 + index / 30 for index in range(30)], abs=1e-3)
