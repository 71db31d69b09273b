"""streamer.cluster.liveness: who lives, by the reader's own clock."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.liveness import DEAD_AFTER, FORGOTTEN_AFTER, Liveness
from tests.cluster.crowd import member

A = member("a")


@given(st.floats(0, 1e6), st.floats(0, 20))
def test_a_member_lives_for_four_seconds_from_its_last_word(heard_at: float, silence: float) -> None:
    """By the time at which the reader heard it, whatever that clock begins at."""
    liveness = Liveness()
    liveness.heard(A, 1, heard_at)
    now = heard_at + silence
    assert (A.id in liveness.alive(now)) == (now - heard_at < DEAD_AFTER)


def test_an_old_record_told_again_is_no_word() -> None:
    """A revision that is not newer makes nobody live longer."""
    liveness = Liveness()
    liveness.heard(A, 5, 0.0)
    liveness.heard(A, 5, 3.0)
    liveness.heard(A, 4, 3.5)
    assert liveness.alive(4.0) == {}


def test_a_member_that_says_good_bye_is_gone_at_once() -> None:
    """Unless that was before what it said since."""
    liveness = Liveness()
    liveness.heard(A, 5, 0.0)
    liveness.left(A.id, 4)
    assert A.id in liveness.alive(0.1)
    liveness.left(A.id, 6)
    assert liveness.alive(0.1) == {}


def test_nobody_is_blamed_for_what_we_could_not_hear() -> None:
    """Who listens anew gives everybody the whole time again."""
    liveness = Liveness()
    liveness.heard(A, 1, 0.0)
    liveness.listens_anew(100.0)
    assert A.id in liveness.alive(103.9)
    assert liveness.alive(104.0) == {}


def test_only_those_long_dead_are_cleared_away() -> None:
    """A minute after its last word, and not while it may come back."""
    liveness = Liveness()
    liveness.heard(A, 1, 0.0)
    assert liveness.long_dead(FORGOTTEN_AFTER - 1) == []
    assert liveness.long_dead(FORGOTTEN_AFTER) == [A.id]
