"""streamer.http.forwarding.passed_sessions: WebRTC sessions at another replica: begun, ended, no longer allowed."""

from collections.abc import AsyncIterator

import pytest
from multidict import CIMultiDictProxy

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.http.connections import ConnectionLimits
from streamer.http.forwarding import passed_sessions
from streamer.http.forwarding.passed_sessions import PASSED_SESSIONS
from tests.http.guests import bearer, cookie, signed_in, with_token
from tests.http.replicas import Two, run_two
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.until import until

SDP = {"Content-Type": "application/sdp"}
VERA, OTHER = cookie("vera"), cookie("other")


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Give two replicas, of which the first alone knows two viewers of the other's stream, and a program."""
    accounts = signed_in(signed_in(Accounts(), "vera", Role.VIEWER, "b"), "other", Role.VIEWER, "b")
    async with run_two(with_token(accounts, "slt_secret", Action.VIEW), access={}) as two:
        yield two


async def watch(two: Two, shown: dict[str, str]) -> tuple[str, CIMultiDictProxy[str]]:
    """Begin a session at the replica that does not run the stream; gives its path, and the answer's headers."""
    pc = make_pc()
    try:
        offer = await offer_to_watch(pc)
    finally:
        await pc.close()
    status, headers, body = await two.here.ask("POST", "/whep/b", data=offer, headers=SDP | shown)
    assert status == 201, body
    assert b"a=ice-ufrag" in body
    return headers["Location"], headers


def sessions(two: Two) -> int:
    """At the owner."""
    return len(two.there.service.streams.sessions)


async def test_a_session_begins_is_patched_and_ends(two: Two) -> None:
    """All through the replica that does not run its stream; nothing of it is left there."""
    path, headers = await watch(two, VERA)
    assert headers["ETag"]
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": headers["ETag"]}
    assert (await two.here.ask("PATCH", path, data="", headers=fragment | VERA))[0] in (204, 400)
    assert (await two.here.ask("GET", path, headers=VERA))[0] == 204
    assert (await two.here.ask("DELETE", path, headers=VERA))[0] == 200
    assert sessions(two) == 0
    assert (await two.here.ask("DELETE", path, headers=VERA))[0] == 404


async def test_a_session_is_his_who_began_it(two: Two) -> None:
    """At whichever replica he asks; to anybody else it is not there."""
    path, _ = await watch(two, VERA)
    for method in ("GET", "DELETE"):
        assert (await two.here.ask(method, path, headers=OTHER))[0] == 404
    assert sessions(two) == 1


async def test_a_session_ends_with_the_permission(two: Two) -> None:
    """The token that began it is taken away where it is known; the owner ends the session."""
    await watch(two, bearer("slt_secret"))
    assert sessions(two) == 1
    two.here.service.entrance.store.change_now(lambda _: Accounts())
    two.here.service.admissions.look()
    await until(lambda: sessions(two) == 0)


async def test_a_word_of_another_replica_does_not_count_for_ever(two: Two) -> None:
    """Where the replica that let somebody in is gone, its owner ends what it began when a session would have ended."""
    await watch(two, VERA)
    two.there.clock.advance(two.there.service.entrance.gate.rules.session_seconds - 1)
    two.there.service.admissions.look()
    assert sessions(two) == 1
    two.there.clock.advance(1)
    two.there.service.admissions.look()
    await until(lambda: sessions(two) == 0)


async def test_sessions_that_are_over_are_forgotten(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their stream, which another replica has then; and of more than may be the oldest."""
    monkeypatch.setattr(passed_sessions, "MOST", 2)
    app_sessions = two.here.application[PASSED_SESSIONS]
    for _ in range(3):
        await watch(two, VERA)
    assert len(app_sessions) == 2
    two.map.owners["b"] = None
    two.here.service.admissions.look()
    assert len(app_sessions) == 0
    assert sessions(two) == 3  # theirs they were, and end with their stream


async def test_a_replica_asks_for_many(two: Two) -> None:
    """Connections of a replica are not counted as those of one address: there are as many as it has viewers."""
    await two.here.ask("GET", "/api/streams/b", headers=VERA)
    connections = two.there.service.connections
    connections.limits = ConnectionLimits(total=1000, per_address=0)
    assert connections.admit("127.0.0.1")
    assert not connections.admit("192.0.2.1")
