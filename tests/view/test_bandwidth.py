"""streamer.view.bandwidth: what viewers' lines take, and what one picture for all of them may have."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.view.bandwidth import (
    AT_LEAST_OF_MIDDLE,
    BEARABLE_LOSS,
    GROWING_INTERVAL,
    INTERVAL,
    LEAST,
    MOST,
    Bandwidth,
    Ceiling,
    Sent,
    shared,
)

RATES = st.one_of(st.sampled_from([0.0, 1.0, 2.0**63, 2.0**81]), st.floats(0, 2**81))


def test_what_was_sent_of_late_is_counted() -> None:
    """At an even rate it is that rate, and seconds after the last packet nothing is left of it."""
    sent = Sent()
    for index in range(300):
        sent.add(5000, 1000 + index / 30)
    assert sent.at(1010) == pytest.approx(30 * 5000 * 8, rel=0.1)
    assert sent.at(1020) < 100
    assert Sent().at(5) == 0


def test_an_estimate_above_what_is_sent_is_no_bound() -> None:
    """A still scene is sent little, and a receiver that has seen no more does not know what its line takes."""
    line = Bandwidth()
    line.reported(300_000, 200_000, 1000)
    assert line.at(1000) == math.inf


def test_an_estimate_below_what_is_sent_is_a_bound_which_better_ones_lift() -> None:
    """A full line bounds what is sent; the same receiver's later estimates count where they are higher."""
    line = Bandwidth()
    line.reported(600_000, 2e6, 1000)
    assert line.at(1000) == 600_000
    line.reported(900_000, 550_000, 1001)
    assert line.at(1001) == 900_000
    line.reported(880_000, 550_000, 1001)
    assert line.at(1001) == 900_000
    line.reported(400_000, 850_000, 1002)
    assert line.at(1002) == 400_000


def test_a_bound_without_news_is_lifted_by_and_by() -> None:
    """Where nothing is said any more the line is tried again, a little more each second, and freed in the end."""
    line = Bandwidth()
    line.reported(600_000, 2e6, 1000)
    heard = [line.at(1000 + second) for second in range(0, 200, 10)]
    assert heard == sorted(heard)
    assert heard[1] < 600_000 * 1.5
    assert heard[-1] == math.inf


def test_loss_that_hurts_is_a_full_line() -> None:
    """What gets lost beyond a tenth halves its share of what is sent; less than that is repaired and bounds nothing."""
    line = Bandwidth()
    line.lost(BEARABLE_LOSS, 2e6, 1000)
    assert line.at(1000) == math.inf
    line.lost(0.4, 2e6, 1000)
    assert line.at(1000) == pytest.approx(1.6e6)
    line.lost(0.4, 9e6, 1000)
    assert line.at(1000) == pytest.approx(1.6e6)


@settings(deadline=None)
@given(reports=st.lists(st.tuples(st.booleans(), RATES, RATES, st.floats(-10, 1e6)), max_size=50))
def test_whatever_is_reported_a_line_takes_something(reports: list[tuple[bool, float, float, float]]) -> None:
    """Reports of nothing, of more than there is, and of times gone by leave a bound that is none or within bounds."""
    line, now = Bandwidth(), 1000.0
    for is_loss, first, second, elapsed in reports:
        now += elapsed
        if is_loss:
            line.lost(first / 2**81, second, now)
        else:
            line.reported(first, second, now)
        assert LEAST <= line.at(now) < MOST or line.at(now) == math.inf


@settings(deadline=None)
@given(lines=st.lists(st.floats(LEAST, MOST), min_size=1, max_size=20), bad=st.floats(LEAST, MOST))
def test_one_bad_line_does_not_spoil_it_for_all(lines: list[float], bad: float) -> None:
    """One viewer alone is followed; among others he costs the middle one no more than half."""
    assert shared([bad]) == bad
    assert min(lines) <= shared(lines) <= max(lines)
    assert shared([max(lines), max(lines), min(bad, max(lines))]) == max(lines)
    assert shared([max(lines), LEAST]) >= AT_LEAST_OF_MIDDLE * max(lines)


@settings(deadline=None)
@given(
    lines=st.lists(st.one_of(st.just(math.inf), st.floats(LEAST, MOST)), min_size=50, max_size=150),
    step=st.sampled_from([0.001, 1 / 30, 1.0]),
)
def test_flapping_lines_cost_a_keyframe_every_few_seconds_at_most(lines: list[float], step: float) -> None:
    """However often reports change, the ceiling changes once in INTERVAL at most, and upwards once in a longer one."""
    ceiling, changes, before = Ceiling(), list[tuple[float, float]](), 2e6
    for number, line in enumerate(lines):
        now = 1000 + number * step
        bits = ceiling.follow([line], 2e6, now)
        if bits != before:
            changes.append((now, bits / before))
        before = bits
    for (at, _), (then, by) in pairwise(changes):
        assert then - at >= (INTERVAL if by < 1 else GROWING_INTERVAL) - 1e-6


def test_a_ceiling_follows_down_at_once_and_up_later() -> None:
    """A line that gets thin is heard at once, one that recovers when the last change is a while ago, trifles never."""
    ceiling, worth = Ceiling(), 2e6
    assert ceiling.follow([math.inf], worth, 1000) == worth
    assert ceiling.follow([1e6], worth, 1001) == 1e6
    assert ceiling.follow([0.9e6], worth, 1009) == 1e6
    assert ceiling.follow([1.9e6], worth, 1001 + GROWING_INTERVAL / 2) == 1e6
    assert ceiling.follow([1.9e6], worth, 1001 + GROWING_INTERVAL) == 1.9e6
    assert ceiling.follow([0.5e6, math.inf], worth, 1001 + 2 * GROWING_INTERVAL) == AT_LEAST_OF_MIDDLE * worth
    assert ceiling.follow([], worth, 1001 + 4 * GROWING_INTERVAL) == worth
    assert ceiling.follow([], 6e6, 1001 + 4 * GROWING_INTERVAL) == 6e6
