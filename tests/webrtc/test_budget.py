"""streamer.webrtc.budget: how much in a second, and how much at once."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.webrtc.budget import Budget

STEPS = st.lists(st.tuples(st.floats(-1, 3), st.floats(0, 30)), max_size=60)
"""(seconds until it, the amount wanted), one after the other."""


@given(rate=st.floats(0.1, 50), burst=st.floats(0.1, 50), steps=STEPS)
def test_no_more_is_spent_than_was_there(rate: float, burst: float, steps: list[tuple[float, float]]) -> None:
    """Between any two moments no more goes out than the burst and the rate allow, and what they surely allow does."""
    budget, now, spent = Budget(rate, burst), 1000.0, list[tuple[float, float]]()
    for wait, amount in steps:
        now += max(0.0, wait)
        given_out = budget.spend(amount, now)
        if given_out:
            spent.append((now, amount))
        elif not spent or now - spent[-1][0] > burst / rate:
            assert amount > burst * (1 - 1e-9)
    for begin, (since, _) in enumerate(spent):
        total = 0.0
        for until, amount in spent[begin:]:
            total += amount
            assert total <= (burst + rate * (until - since)) * (1 + 1e-9) + 1e-9


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Time that stands still or goes back fills nothing."""
    budget = Budget(1, 2)
    assert budget.spend(2, 10.0)
    assert not budget.spend(1, 9.0)
    assert not budget.spend(1, 9.5)
    assert budget.spend(1, 10.5)
