"""streamer.http.forwarding.passed_sessions: WebRTC sessions at another replica: begun, ended, no longer allowed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.http.connections import ConnectionLimits
from streamer.http.forwarding import passed_sessions
from streamer.http.forwarding.passed_sessions import PASSED_SESSIONS
from streamer.values.replica import Replica
from tests.http.guests import bearer, cookie, signed_in, with_token
from tests.http.replicas import Two, run_owner, run_two
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


async def test_a_try_of_somebody_else_ends_nothing(two: Two) -> None:
    """What the owner refuses him leaves the session followed: it ends when who began it may no longer."""
    path, _ = await watch(two, VERA)
    assert (await two.here.ask("DELETE", path, headers=bearer("slt_secret")))[0] == 404
    two.here.service.entrance.store.change_now(lambda _: Accounts())
    two.here.service.admissions.look()
    await until(lambda: sessions(two) == 0)


async def test_an_end_that_fails_is_tried_again(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner that hangs, or answers something else, is asked again for as long as it has the stream."""
    monkeypatch.setattr(passed_sessions, "AGAIN", 0.01)
    monkeypatch.setattr(passed_sessions, "PATIENCE", 0.5)
    path, _ = await watch(two, VERA)
    asked, ask = list[str](), two.here.neighbours.ask

    async def bad(request: web.BaseRequest) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        if len(asked) == 1:
            await asyncio.sleep(3600)
        return web.Response(status=503)

    async with run_owner(bad) as url:

        def badly(replica: Replica, *args: Any, **more: Any) -> Any:
            return ask(Replica(replica.name, url) if len(asked) < 3 else replica, *args, **more)

        monkeypatch.setattr(two.here.neighbours, "ask", badly)
        two.here.service.entrance.store.change_now(lambda _: Accounts())
        two.here.service.admissions.look()
        await until(lambda: sessions(two) == 0)
    assert len(asked) >= 3  # one that came when it had been given up is asked once more
    assert set(asked) == {f"DELETE {path}"}
    await until(lambda: len(two.here.application[PASSED_SESSIONS]) == 0)


async def test_sessions_that_are_over_are_forgotten(two: Two) -> None:
    """However their end was written, when their owner has them no longer, and with their stream."""
    followed = two.here.application[PASSED_SESSIONS]
    path, _ = await watch(two, VERA)
    other = URL(f"{two.here.url}{path.replace('/b/', '/%62/')}?x", encoded=True)
    async with two.here.client.delete(other, headers=VERA) as answer:
        assert answer.status == 200
    assert len(followed) == 0
    await watch(two, VERA)
    await watch(two, VERA)
    await next(iter(two.there.service.streams.sessions.values())).close()
    await followed.look()
    assert len(followed) == 1
    two.map.owners["b"] = None
    two.here.service.admissions.look()
    assert len(followed) == 0
    assert sessions(two) == 1  # theirs it was, and ends with its stream


async def test_no_more_are_begun_than_can_be_followed(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is 503, and those that live stay so and are ended as they would have been."""
    monkeypatch.setattr(passed_sessions, "MOST", 2)
    for _ in range(2):
        await watch(two, VERA)
    status, headers, _ = await two.here.ask("POST", "/whep/b", data="v=0", headers=SDP | VERA)
    assert (status, headers["Retry-After"]) == (503, "30")
    two.here.service.entrance.store.change_now(lambda _: Accounts())
    two.here.service.admissions.look()
    await until(lambda: sessions(two) == 0)


async def test_a_replica_asks_for_many(two: Two) -> None:
    """Connections of a replica are not counted as those of one address: there are as many as it has viewers."""
    await two.here.ask("GET", "/api/streams/b", headers=VERA)
    connections = two.there.service.connections
    connections.limits = ConnectionLimits(total=1000, per_address=0)
    assert connections.admit("127.0.0.1")
    assert not connections.admit("192.0.2.1")
