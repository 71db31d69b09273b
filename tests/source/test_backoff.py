"""streamer.source.backoff: how long to wait before the next attempt."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.backoff import EAGER, EAGER_PAUSE, JITTER, LOCKOUT_PAUSE, MAX_PAUSE, Backoff
from tests.peers.clock import FakeClock


def pauses(backoff: Backoff, clock: FakeClock, count: int) -> list[float]:
    """The pauses of `count` attempts that fail at once, one after the other."""
    found = []
    for _ in range(count):
        found.append(backoff.failed(clock.now))
        clock.advance(found[-1])
    return found


def test_every_second_at_first_then_doubling_to_half_a_minute() -> None:
    """For half a minute every second is tried, then pauses double up to the longest."""
    found = pauses(Backoff(lambda: 0.0), FakeClock(), 37)
    assert found[: int(EAGER)] == [1.0] * 30
    assert found[30:] == [2.0, 4.0, 8.0, 16.0, MAX_PAUSE, MAX_PAUSE, MAX_PAUSE]


def test_attempts_that_take_long_use_up_the_eager_time() -> None:
    """The eager half minute counts from the first failure, however long the attempts themselves take."""
    backoff, clock = Backoff(lambda: 0.0), FakeClock()
    found = []
    for _ in range(6):
        found.append(backoff.failed(clock.now))
        clock.advance(found[-1] + 8)
    assert found == [1.0, 1.0, 1.0, 1.0, 2.0, 4.0]


def test_a_frame_ends_the_outage() -> None:
    """After a frame the next outage begins eagerly again, and doubles from the start."""
    backoff, clock = Backoff(lambda: 0.0), FakeClock()
    pauses(backoff, clock, 40)
    backoff.delivered()
    assert pauses(backoff, clock, 32) == [1.0] * 30 + [2.0, 4.0]


def test_a_refused_password_waits_a_minute_every_time() -> None:
    """A refused password is tried once a minute, from the first refusal on."""
    backoff, clock = Backoff(lambda: 0.0), FakeClock()
    assert [backoff.failed(clock.advance(60), locked_out=True) for _ in range(3)] == [LOCKOUT_PAUSE] * 3


def test_dice_shorten_a_pause_by_a_fifth_at_most() -> None:
    """Every pause lies between 80 and 100 percent of its length, and two sources' differ."""
    one, other = (pauses(Backoff(random.Random(seed).random), FakeClock(), 60) for seed in (1, 2))
    assert one != other
    assert all(1 - JITTER <= pause <= 1 for pause in one[:20] + other[:20])
    assert max(one + other) <= MAX_PAUSE
    assert min(one[-10:] + other[-10:]) >= MAX_PAUSE * (1 - JITTER)
    assert Backoff(lambda: 1.0).failed(0.0) == pytest.approx(1 - JITTER)


EVENTS = st.lists(st.tuples(st.sampled_from(["failed", "refused", "delivered"]), st.floats(0, 1e6), st.floats(0, 1)))
"""What becomes of attempts, how long each takes, and how the dice fall."""


@given(EVENTS)
def test_no_pause_is_shorter_or_longer_than_said(events: list[tuple[str, float, float]]) -> None:
    """Whatever happened before, a camera is tried again within half a minute, and never twice a second.

    One that refuses the password waits a minute; the first failure after a frame is followed by the shortest pause.
    """
    clock, dice = FakeClock(), 0.0
    backoff, fresh = Backoff(lambda: dice), True
    for what, seconds, dice in events:  # noqa: B007  the lambda reads it
        now = clock.advance(seconds)
        if what == "delivered":
            backoff.delivered()
            fresh = True
            continue
        pause = backoff.failed(now, locked_out=what == "refused")
        if what == "refused":
            shortest = longest = LOCKOUT_PAUSE
        else:
            shortest, longest = EAGER_PAUSE, EAGER_PAUSE if fresh else MAX_PAUSE
        assert shortest * (1 - JITTER) <= pause <= longest
        fresh = False
