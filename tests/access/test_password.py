"""streamer.access.password: hashed off the event loop, one at a time, and no user is told from nobody."""

import asyncio
import subprocess
import sys
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from streamer.access import password
from streamer.access.password import KEPT_FREE, LONGEST, WAITING, Passwords, hashed_now, is_outdated
from streamer.values.errors import ConfigError, Overloaded

RIGHT = "correct horse"


async def test_a_password_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right one is; another, one for a user who is not there, and one beside what is no hash, are not."""
    passwords = Passwords()
    hashed = await passwords.hashed(RIGHT)
    assert RIGHT not in hashed
    assert hashed != await passwords.hashed(RIGHT), "each has a salt of its own"
    assert await passwords.verify(RIGHT, hashed)
    for wrong, of in (
        ("correct horsE", hashed),
        ("", hashed),
        (RIGHT + "\0", hashed),
        ("\ud800", hashed),
        ("x" * (1 << 20), hashed),
        (RIGHT, None),
        (RIGHT, "nonsense"),
    ):
        assert not await passwords.verify(wrong, of)


async def test_keyboards_compose_letters_differently() -> None:
    """A letter with its dots apart is the same letter (RFC 8265 section 4.2)."""
    passwords = Passwords()
    assert await passwords.verify("gru\u0308n und blau", await passwords.hashed("gr\u00fcn und blau"))


async def test_nobody_costs_what_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a user who is not there as much is hashed as for one who is: one hash, with the same parameters."""
    hashed, seen = hashed_now(RIGHT), list[str]()
    passwords = Passwords()
    await passwords.verify("first", None)  # the hash of nobody is made once
    verify = PasswordHasher.verify

    def spied(self: PasswordHasher, hash: str | bytes, given: str | bytes) -> bool:  # noqa: A002  its own name
        seen.append(str(hash))
        return verify(self, hash, given)

    monkeypatch.setattr(PasswordHasher, "verify", spied)
    monkeypatch.setattr(PasswordHasher, "hash", lambda *_: pytest.fail("a hash more than for a user who is there"))
    for of in (hashed, None):
        assert not await passwords.verify("wrong", of)
    assert len(seen) == 2
    assert extract_parameters(seen[0]) == extract_parameters(seen[1])
    assert extract_parameters(seen[0]).memory_cost == 46 << 10


@pytest.mark.parametrize("text", ["", "1234567", "x" * (LONGEST + 1)])
async def test_a_password_has_a_length(text: str) -> None:
    """Too short and too long ones are refused in a sentence that does not repeat them."""
    with pytest.raises(ConfigError, match="a password has 8 to 256 characters"):
        await Passwords().hashed(text)
    with pytest.raises(ConfigError, match="a password has 8 to 256 characters"):
        hashed_now(text)


def test_yesterdays_parameters_are_noticed() -> None:
    """A hash of other parameters is outdated, today's is not, and what is no hash cannot be made better."""
    assert not is_outdated(hashed_now(RIGHT))
    assert is_outdated(PasswordHasher(time_cost=2, memory_cost=8 << 10, parallelism=1).hash(RIGHT))
    assert not is_outdated("nonsense")


async def test_so_many_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is hashed at a time, eight wait at the most, and the next is told to come again; then there is room."""
    go_on, at_once, most = threading.Event(), list[int](), list[int]()

    def slow(_: str, __: str | None) -> bool:
        at_once.append(1)
        most.append(len(at_once))
        go_on.wait()
        at_once.pop()
        return True

    monkeypatch.setattr(password, "_verified", slow)
    passwords = Passwords()
    waiting = [asyncio.create_task(passwords.verify(RIGHT, None)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as no:
        await passwords.verify(RIGHT, None)
    assert no.value.retry_after == 1
    waiting[-1].cancel()
    go_on.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert max(most) == 1
    assert await passwords.verify(RIGHT, None)


async def test_strangers_take_no_place_of_who_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all theirs are taken he is let in, and may give a user a password; his are bounded as well."""
    go_on = threading.Event()
    monkeypatch.setattr(password, "_verified", lambda *_: go_on.wait())
    monkeypatch.setattr(password, "hashed_now", lambda _: "hashed")
    passwords = Passwords()
    waiting = [asyncio.create_task(passwords.verify(RIGHT, None)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    known = [asyncio.create_task(passwords.verify(RIGHT, None, known=True)) for _ in range(KEPT_FREE - 1)]
    new = asyncio.create_task(passwords.hashed(RIGHT))
    await asyncio.sleep(0)
    for one_more in passwords.verify(RIGHT, None), passwords.verify(RIGHT, None, known=True), passwords.hashed(RIGHT):
        with pytest.raises(Overloaded):
            await one_more
    go_on.set()
    assert await asyncio.gather(*waiting, *known) == [True] * (WAITING + KEPT_FREE - 1)
    assert await new == "hashed"


def test_a_service_without_users_has_no_argon2() -> None:
    """Nothing of it is imported before the first password."""
    code = "import sys, streamer.service; sys.exit('argon2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
