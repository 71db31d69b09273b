"""streamer.access.attempts: who guesses is slowed down, whose account it is gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access import attempts as module
from streamer.access.attempts import FREE, LONGEST_PAUSE, Attempts
from streamer.values.errors import Refused
from tests.peers.clock import FakeClock

AWAY, HOME = "203.0.113.7", "192.0.2.1"


def refused(attempts: Attempts, address: str, name: str) -> int:
    """Try; the seconds to come back in, 0 where the try may be made (it fails)."""
    try:
        attempts.require(address, name)
    except Refused as no:
        return int(no.headers["Retry-After"])
    attempts.failed(address, name)
    return 0


def test_five_and_then_pauses_that_grow() -> None:
    """Five may fail, then one after a minute, one after two, and so on to a quarter of an hour; and it says when."""
    attempts = Attempts(clock := FakeClock())
    assert [refused(attempts, AWAY, "anna") for _ in range(FREE + 1)] == [0] * FREE + [60]
    pauses = []
    for _ in range(6):
        pauses.append(refused(attempts, AWAY, "anna"))
        clock.advance(pauses[-1] - 0.5)
        assert refused(attempts, AWAY, "anna") == 1
        clock.advance(0.5)
        assert refused(attempts, AWAY, "anna") == 0
    assert pauses == [60, 120, 240, 480, LONGEST_PAUSE, LONGEST_PAUSE]
    clock.advance(3600)
    assert [refused(attempts, AWAY, "anna") for _ in range(FREE + 1)] == [0] * FREE + [60]


@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.sampled_from([AWAY, HOME]), st.sampled_from(["anna", "ben"]), st.booleans()),
        max_size=200,
    )
)
def test_at_most_five_fail_a_minute(tries: list[tuple[float, str, str, bool]]) -> None:
    """Whoever tries whatever, whenever: within a minute at most five fail from an address for an account, and at most
    five from an address that nobody has signed in from."""
    attempts = Attempts(clock := FakeClock())
    failed, signed_in = list[tuple[float, str, str]](), set[str]()
    for seconds, address, name, is_right in tries:
        now = clock.advance(seconds)
        try:
            attempts.require(address, name)
        except Refused:
            continue
        if is_right:
            attempts.succeeded(address, name)
            signed_in.add(address)
            failed = [each for each in failed if each[1:] != (address, name)]
            continue
        attempts.failed(address, name)
        failed.append((now, address, name))
        recent = [each for each in failed if now - each[0] < 60]
        assert sum(each[1:] == (address, name) for each in recent) <= FREE
        if address not in signed_in:
            assert sum(each[1] == address for each in recent) <= FREE


def test_who_is_refused_is_told_when_to_come_back() -> None:
    """429, a sentence that says neither whether the account is there nor what was tried, and `Retry-After`."""
    attempts = Attempts(FakeClock())
    for _ in range(FREE):
        attempts.require(AWAY, "anna")
    with pytest.raises(
        Refused, match=r"^too many sign-ins failed from this address or for this name; .* in 60 s$"
    ) as no:
        attempts.require(AWAY, "anna")
    assert (no.value.status, no.value.headers) == (429, {"Retry-After": "60"})


def test_many_at_once_are_no_way_round() -> None:
    """A try counts from when it begins: of a hundred that nobody has answered yet, five are looked at."""
    attempts, looked_at = Attempts(FakeClock()), 0
    for _ in range(100):
        try:
            attempts.require(AWAY, "anna")
            looked_at += 1
        except Refused:
            pass
    assert looked_at == FREE


def test_many_names_are_no_way_round() -> None:
    """Five a minute is an address's, whichever names it tries; of IPv6 a household's, whichever of its addresses."""
    attempts = Attempts(FakeClock())
    assert [refused(attempts, AWAY, f"user{number}") for number in range(FREE + 1)][-1] > 0
    assert [refused(attempts, f"2001:db8::{number}", f"user{number}") for number in range(FREE + 1)][-1] > 0


def test_nobody_is_locked_out_from_elsewhere() -> None:
    """Who knows a name can keep its owner from nothing: not where he has signed in before, and nowhere for long."""
    attempts = Attempts(clock := FakeClock())
    attempts.require(HOME, "anna")
    attempts.succeeded(HOME, "anna")
    for number in range(1000):
        refused(attempts, f"198.51.{number // 250}.{number % 250}", "anna")
    assert refused(attempts, HOME, "anna") == 0
    assert 0 < refused(attempts, "192.0.2.99", "anna") <= 6
    clock.advance(6)
    assert refused(attempts, "192.0.2.99", "anna") == 0


def test_an_account_is_not_guessed_from_everywhere() -> None:
    """From however many addresses, an account takes fifty wrong passwords, and then ten a minute."""
    attempts = Attempts(clock := FakeClock())
    passed = 0
    for second in range(120):
        clock.advance(1)
        passed += sum(refused(attempts, f"10.{second}.{number}.1", "anna") == 0 for number in range(50))
    assert passed <= 50 + 120 / 6 + 1


def test_the_right_password_forgives_the_wrong_ones() -> None:
    """Who mistypes four times and then does not, has five again; but not for other accounts of his address."""
    attempts = Attempts(FakeClock())
    for _ in range(3):
        assert [refused(attempts, HOME, "anna") for _ in range(FREE - 1)] == [0] * (FREE - 1)
        attempts.require(HOME, "anna")
        attempts.succeeded(HOME, "anna")
    assert refused(attempts, HOME, "ben") > 0


def test_a_try_that_was_not_looked_at_does_not_count() -> None:
    """Whoever is turned away because too many wait has lost nothing."""
    attempts = Attempts(FakeClock())
    for _ in range(100):
        attempts.require(AWAY, "anna")
        attempts.withdrawn(AWAY, "anna")
    assert [refused(attempts, AWAY, "anna") for _ in range(FREE + 1)] == [0] * FREE + [60]
    assert attempts.counts == {"succeeded": 0, "failed": FREE, "refused": 1}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come, a fixed number of them is remembered, the longest untouched forgotten first."""
    monkeypatch.setattr(module, "REMEMBERED", 10)
    attempts = Attempts(FakeClock())
    for number in range(100):
        for step in (attempts.require, attempts.failed):
            step(f"10.0.0.{number}", f"{number:x}" * 500)
    kept = (attempts._of_address, attempts._of_account, attempts._of_pair)
    assert [len(each) for each in kept] == [10] * 3
    for number in range(100):
        attempts.require(f"10.0.1.{number}", "anna")
        attempts.succeeded(f"10.0.1.{number}", "anna")
    assert len(attempts._known) == 10
