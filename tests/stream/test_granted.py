"""streamer.stream.granted: what a stream is said to get where its model has not the time for all it asks."""

import pytest

from streamer.stream.granted import TURNS, Granted


def turned(granted: Granted, *, had: int, left_out: int, times: int = 30) -> float | None:
    """What is said after so many turns, over and over."""
    for _ in range(times):
        for number in range(had + left_out):
            granted.turn(was_had=number < had)
    return granted.fps


def test_a_stream_that_gets_what_it_asks_gets_nothing_said() -> None:
    """Nothing is said of a stream before some turns, of one that has all, nor of one that now and then misses one."""
    granted = Granted(5.0)
    for _ in range(TURNS - 1):
        granted.turn(was_had=False)
        assert granted.fps is None
    granted = Granted(5.0)
    assert turned(granted, had=1, left_out=0) is None
    assert turned(granted, had=24, left_out=1) is None


def test_what_is_got_is_said_with_hysteresis() -> None:
    """Below nine turns in ten the rate is said; it is so until nearly all are had again, and not at the same limit."""
    granted = Granted(5.0)
    assert turned(granted, had=2, left_out=1) == pytest.approx(3.4, abs=0.2)
    assert turned(granted, had=24, left_out=1) == pytest.approx(4.8, abs=0.05)
    assert turned(granted, had=1, left_out=0) is None
    assert turned(granted, had=24, left_out=1) is None


def test_a_rate_is_never_more_than_was_asked() -> None:
    """What is said lies between nothing and what was asked."""
    granted = Granted(0.5)
    assert turned(granted, had=0, left_out=1) == 0
    assert turned(granted, had=1, left_out=3) == pytest.approx(0.125, abs=0.05)
