"""streamer.values.passwords: which passwords are known, and for how long."""

import gc

import pytest

from streamer.values.passwords import KEEP, SPARE, Passwords
from tests.peers.clock import FakeClock


class User:
    """Something that uses a password."""


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


def test_a_password_is_known_for_as_long_as_something_uses_it(clock: FakeClock) -> None:
    """However long a user of it lives, and however many others come and go, its password stays known."""
    passwords, user = Passwords(clock), User()
    passwords.hold({"hunter2"}, user)
    other = User()
    passwords.hold({"hunter2"}, other)
    del other
    gc.collect()
    for number in range(3 * SPARE):
        clock.advance(KEEP / SPARE)
        passwords.note({f"other-{number}"})
    assert passwords.redact("hunter2") == "***"
    del user  # until here


def test_a_password_that_nothing_uses_is_known_for_a_while_longer(clock: FakeClock) -> None:
    """After its last user's end a password is known for an hour, for the log lines that come late; then it is not."""
    passwords, user = Passwords(clock), User()
    passwords.hold({"hunter2"}, user)
    clock.advance(10 * KEEP)
    del user
    gc.collect()
    passwords.note({"other"})
    clock.advance(KEEP - 1)
    passwords.note({"other"})
    assert passwords.redact("hunter2") == "***"
    clock.advance(2)
    passwords.note({"other"})
    assert passwords.redact("hunter2") == "hunter2"


def test_what_is_noted_again_is_known_anew(clock: FakeClock) -> None:
    """A password that is seen again is kept from then on."""
    passwords = Passwords(clock)
    for _ in range(3):
        passwords.note({"hunter2"})
        clock.advance(KEEP - 1)
    passwords.note({"other"})
    assert passwords.redact("hunter2") == "***"


def test_whatever_quotes_stand_around_it_a_password_is_cut_out(clock: FakeClock) -> None:
    """A password with a quote in it is known as Python shows it in the midst of a text with both kinds of quotes."""
    passwords = Passwords(clock)
    passwords.note({"hunter'2"})
    for around in ("", "'", '"', "\"'"):
        assert "hunter" not in passwords.redact(repr(f"{around}hunter'2"))


def test_streams_that_come_and_go_do_not_add_up(clock: FakeClock) -> None:
    """However many passwords come and go, only so many are kept that nothing uses."""
    passwords = Passwords(clock)
    for number in range(2 * SPARE):
        user = User()
        passwords.hold({f"held-{number}"}, user)
        passwords.note({f"noted-{number}"})
    assert len(passwords) <= SPARE + 1
    assert passwords.redact(f"held-{2 * SPARE - 2} noted-{2 * SPARE - 1}") == "*** ***"


def test_half_characters_spoil_nothing(clock: FakeClock) -> None:
    """A password with half a character in it, which is in no URL and may come all the same, is known like others."""
    passwords = Passwords(clock)
    passwords.note({"hunter\ud800"})
    passwords.note({"correct-horse"})
    assert passwords.redact("hunter\ud800 correct-horse") == "*** ***"


@pytest.mark.parametrize("behind", ["", "_channel=1", "&x=1", "/1", ".", ". And", " ", "_"])
def test_short_passwords_end_where_they_end(clock: FakeClock, behind: str) -> None:
    """A password of three letters is cut out whatever is behind it, and not out of the middle of other values."""
    passwords = Passwords(clock)
    passwords.note({"123"})
    assert passwords.redact(f"rtsp://h/user=a_password=123{behind}") == f"rtsp://h/user=a_password=***{behind}"
    for harmless in ("t=1234", "t=123.5", "t=123%20", "t=123-4", "123"):
        assert passwords.redact(harmless) == harmless
