"""streamer.rtp.wall: a camera's wall clock, where it can be believed."""

import pytest

from streamer.rtp.reports import NTP_EPOCH, SenderReport
from streamer.rtp.wall import Wall

NOW = 1_800_000_000.0


def report(wall: float, timestamp: int) -> SenderReport:
    """A report of a wall clock in Unix seconds."""
    return SenderReport(7, int((wall + NTP_EPOCH) * (1 << 32)) & (1 << 64) - 1, timestamp & 0xFFFF_FFFF, 0, 0)


@pytest.mark.parametrize("base", [0, 0xFFFF_FFFF - 45_000, 5 << 32])
def test_a_picture_has_its_wall_time(base: int) -> None:
    """Before and after a report, and across the end of the timestamps, a picture is when its camera says."""
    wall = Wall()
    assert wall.at(base / 90_000) is None
    wall.take(report(NOW, base), NOW)
    assert wall.at((base + 90_000) / 90_000) == pytest.approx(NOW + 1, abs=1e-4)
    assert wall.at((base - 45_000) / 90_000) == pytest.approx(NOW - 0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("reports", "why"),
    [
        ([SenderReport(7, 0, 0, 0, 0)], "no wall clock"),
        ([report(86_400.0, 0)], "not set"),
        ([report(NOW + 200_000, 0)], "not set"),
        ([report(NOW, 0), report(NOW + 10, 250 * 40)], "part"),
        ([report(NOW, 0), report(NOW + 3600, 450_000)], "part"),
    ],
)
def test_a_clock_that_cannot_be_right_is_not_believed(reports: list[SenderReport], why: str) -> None:
    """A clock that was never set, or does not go with that of the pictures, gives no times, and says why."""
    wall = Wall()
    for one in reports:
        wall.take(one, NOW)
    assert wall.at(0.0) is None
    assert why in (wall.reason or "")


def test_a_clock_that_was_set_is_believed_again() -> None:
    """Once two reports agree, the clock is believed."""
    wall = Wall()
    for seconds, ticks in ((0, 0), (3600, 450_000), (3605, 900_000)):
        wall.take(report(NOW + seconds, ticks), NOW)
    assert wall.reason is None


def test_the_second_era_is_read() -> None:
    """NTP's seconds begin anew in 2036."""
    assert report(2_100_000_000.0, 0).wall == pytest.approx(2_100_000_000.0)
