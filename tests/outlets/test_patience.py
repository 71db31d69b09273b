"""streamer.outlets.patience: pauses that grow, and a day."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.patience import FIRST_PAUSE, JITTER, LONGEST_PAUSE, is_given_up, pause_after


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_no_pause_is_shorter_than_the_first_or_longer_than_the_longest(failures: int, dice: float) -> None:
    """However many failures there were, and whatever the dice say."""
    assert FIRST_PAUSE * (1 - JITTER) <= pause_after(failures, lambda: dice) <= LONGEST_PAUSE
    assert pause_after(failures + 1, lambda: dice) >= pause_after(failures, lambda: dice)


def test_a_day_is_not_enough_to_give_up() -> None:
    """What is old was also tried a dozen times, or the receiver has failed for an hour, as all know by then."""
    assert not is_given_up(86_399.0, 200, 86_000.0)
    assert not is_given_up(86_400.0, 11, 3599.0)
    assert is_given_up(86_400.0, 12, 0.0)
    assert is_given_up(86_400.0, 0, 3600.0)
