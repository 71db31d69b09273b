"""streamer.source.rtsp.lock: who may push."""

import re
from collections.abc import Iterable

import pytest

from streamer.source.login import Challenge, Login, challenges_of
from streamer.source.rtsp.lock import NONCE_SECONDS, Lock
from tests.peers.clock import FakeClock

URL = "rtsp://127.0.0.1:8554/drone"
USER, PASSWORD = "drøne", 'p:a"s'


def lock(clock: FakeClock | None = None) -> Lock:
    """One of a user with a password of odd characters."""
    return Lock(USER, PASSWORD, clock or FakeClock())


def said(challenges: Iterable[Challenge], user: str = USER, password: str = PASSWORD, method: str = "ANNOUNCE") -> str:
    """What our own client answers, as a head is read."""
    login = Login(user, password)
    assert login.take(challenges)
    return (login.header(method, URL) or "").encode().decode("latin-1")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_who_knows_user_and_password_is_let_in(algorithm: str) -> None:
    """Either digest that is offered opens the lock, and no other user, password or method does."""
    door = lock()
    asked = [each for each in challenges_of(door.challenges()) if each.algorithm == algorithm]
    assert door.judge(said(asked), "ANNOUNCE", URL) == "right"
    assert door.name == f"Digest {algorithm}"
    for wrong in (
        said(asked, "drone"),
        said(asked, password="pas"),
        said(asked, method="PLAY"),
        said(asked).replace('response="', 'response="0'),
        "Digest",
        "Digest " + "a" * 9000,
    ):
        assert door.judge(wrong, "ANNOUNCE", URL) == "wrong"


def test_digests_are_offered_and_basic_is_not_taken() -> None:
    """Both digests are offered, SHA-256 first and MD5 last, Basic never; and nobody is let in by it."""
    door = lock()
    asked = challenges_of(door.challenges())
    assert [(each.scheme, each.algorithm) for each in asked] == [("digest", "SHA-256"), ("digest", "MD5")]
    # Phones' encoders read the first challenge so: whatever stands behind the nonce must have no quotes.
    found = re.search(r'realm="(.+)",\s+nonce="(.+)"', "\r\n".join(door.challenges()))
    assert found is not None
    assert found[2].isalnum()
    basic = said([Challenge("basic", {"realm": "Sightline"})])
    assert door.judge(basic, "ANNOUNCE", URL) == "wrong"


def test_nobody_who_says_nothing_is_wrong() -> None:
    """A request without a log-in is no wrong one."""
    assert lock().judge(None, "ANNOUNCE", URL) == "nothing"


def test_a_nonce_grows_old() -> None:
    """The right answer to a nonce that is too old is stale, and to the one that is given then it is right."""
    clock = FakeClock()
    door = lock(clock)
    asked = challenges_of(door.challenges())
    clock.advance(NONCE_SECONDS)
    assert door.judge(said(asked), "ANNOUNCE", URL) == "right"
    clock.advance(0.1)
    assert door.judge(said(asked), "ANNOUNCE", URL) == "stale"
    again = challenges_of(door.challenges(stale=True))
    assert all(each.stale for each in again)
    assert door.judge(said(again), "ANNOUNCE", URL) == "right"


def test_what_was_overheard_opens_nothing() -> None:
    """The right answer to another connection's nonce is stale, also where nothing was asked yet; so is one to none."""
    other, door = lock(), lock()
    overheard = said(challenges_of(other.challenges()))
    assert door.judge(overheard, "ANNOUNCE", URL) == "stale"
    door.challenges()
    assert door.judge(overheard, "ANNOUNCE", URL) == "stale"
    assert lock().judge(said([Challenge("digest", {"realm": "Sightline", "nonce": ""})]), "ANNOUNCE", URL) == "stale"


@pytest.mark.parametrize(
    ("asked_for", "verdict"),
    [
        (f"{URL}/streamid=0", "right"),
        ("rtsp://camera.example/drone", "right"),
        ("rtsp://127.0.0.1:8554/other", "wrong"),
    ],
)
def test_an_answer_is_for_its_url(asked_for: str, verdict: str) -> None:
    """An answer made for the whole stream is good for its tracks, by whatever name of the host, and for no other's."""
    door = lock()
    assert door.judge(said(challenges_of(door.challenges())), "ANNOUNCE", asked_for) == verdict
