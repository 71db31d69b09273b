"""streamer.http.admissions: what lasts ends with the permission, and not before."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args
from unittest.mock import AsyncMock

import pytest

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.access.credential import Credential, ProxyWord, digest
from streamer.access.gate import Gate, GateRules
from streamer.access.principal import Grant, Kind, Principal
from streamer.http.admissions import Admissions
from tests.http.guests import bearer, cookie, everybody, run_door, signed_in, with_token
from tests.peers.frames import make_detections
from tests.peers.until import until

GUARDS = {"guards": Grant(frozenset({Action.VIEW}), ("a",))}
VERA = Credential(proxy=ProxyWord("vera", ("guards",)))
TOKEN, SESSION = Credential(token=digest("scrape")), Credential(session=digest("anna"))


class House:
    """Somebody who was let in, and all by which it is decided whether he may stay."""

    def __init__(self, accounts: Accounts, rules: GateRules) -> None:
        self.accounts, self.rules = accounts, rules
        self.wall = self.now = 0.0
        self.gate = Gate(rules, lambda: self.accounts, lambda: self.wall)
        self.admissions = Admissions(self.gate, lambda: self.now)
        self.ended: list[str] = []

    def admit(self, credential: Credential, action: Action = Action.VIEW, stream: str | None = "a") -> None:
        """Let somebody in who may."""
        principal = self.gate.principal(credential)
        assert principal.may(action, stream)

        async def end() -> None:
            self.ended.append(principal.name)

        self.admissions.admit(principal.name, (credential, principal), action, stream, end=end)

    async def look(self) -> list[str]:
        """Whose admission has ended once all were looked at."""
        self.gate.rules = self.rules
        self.admissions.look()
        await self.admissions.settle()
        return self.ended


def house(**rules: object) -> House:
    """One with a user anna, a viewer of a, and a token scrape that sees a until 100 s have passed."""
    accounts = with_token(signed_in(Accounts(), "anna", Role.VIEWER, "a"), "scrape", Action.VIEW, streams=("a",))
    token = replace(accounts.tokens[digest("scrape")], expires_at=100.0)
    accounts = accounts.with_token(token)
    return House(accounts, replace(GateRules(is_open=False, groups=GUARDS), **rules))  # type: ignore[arg-type]


def expires(there: House) -> None:
    """Seconds pass, by which a token ends."""
    there.wall = 100.0


def session_expires(there: House) -> None:
    """Years pass, by which a session ends."""
    there.wall = 5e9


def loses(edit: Callable[[Accounts], Accounts]) -> Callable[[House], None]:
    """The accounts change."""

    def changed(there: House) -> None:
        there.accounts = edit(there.accounts)

    return changed


def group_goes(there: House) -> None:
    """The configuration's groups mean nothing any more."""
    there.rules = replace(there.rules, groups={})


def hours_pass(there: House) -> None:
    """It is too long ago that the proxy said so."""
    there.now = there.rules.session_seconds


@pytest.mark.parametrize(
    ("credential", "change"),
    [
        (TOKEN, expires),
        (TOKEN, loses(lambda accounts: accounts.without_token("id-scrape"))),
        (SESSION, session_expires),
        (SESSION, loses(lambda accounts: accounts.without_session(digest("anna")))),
        (SESSION, loses(lambda accounts: accounts.signed_out("anna"))),
        (SESSION, loses(lambda accounts: accounts.without_user("anna"))),
        (SESSION, loses(lambda accounts: accounts.with_user(replace(accounts.users["anna"], streams=("b",))))),
        (VERA, group_goes),
        (VERA, hours_pass),
    ],
)
@pytest.mark.parametrize("stream", ["a", None])
async def test_what_lasts_ends_with_the_permission(
    credential: Credential, change: Callable[[House], None], stream: str | None
) -> None:
    """One stream's and all streams' feeds go on while nothing changes, and end once when who reads them may no more."""
    there = house()
    there.admit(credential, stream=stream)
    assert await there.look() == []
    change(there)
    assert len(await there.look()) == 1
    assert len(await there.look()) == 1
    assert len(there.admissions) == 0


async def test_a_feed_of_all_streams_ends_when_those_become_others() -> None:
    """More streams, too, end it, for it would not have theirs; one stream's feed goes on."""
    there = house()
    there.admit(SESSION, stream=None)
    there.admit(TOKEN, stream="a")
    there.accounts = there.accounts.with_user(replace(there.accounts.users["anna"], streams=("a", "b")))
    assert await there.look() == ["anna"]


async def test_a_publisher_is_demoted() -> None:
    """An operator who becomes a viewer publishes no more, and watches on."""
    there = house()
    operator = replace(there.accounts.users["anna"], role=Role.OPERATOR)
    there.accounts = there.accounts.with_user(operator)
    there.admit(SESSION, Action.PUBLISH)
    there.accounts = there.accounts.with_user(replace(operator, role=Role.VIEWER))
    assert await there.look() == ["anna"]
    there.admit(SESSION, Action.VIEW)
    assert await there.look() == ["anna"]


async def test_who_may_as_anybody_stays() -> None:
    """One stream's feed outlives its session where anybody may view; when a reload ends that, it ends."""
    there = house(anonymous=frozenset({Action.VIEW}))
    there.admit(SESSION)
    there.accounts = there.accounts.signed_out("anna")
    assert await there.look() == []
    there.rules = replace(there.rules, anonymous=frozenset())
    assert await there.look() == ["anna"]


async def test_the_first_user_ends_what_strangers_began() -> None:
    """What was begun where nobody was asked ends when there is a user."""
    there = House(Accounts(), GateRules(is_open=True))
    there.admit(Credential())
    assert await there.look() == []
    there.accounts = signed_in(there.accounts, "anna", Role.ADMIN)
    assert await there.look() == ["nobody"]


async def test_what_has_ended_by_itself_is_forgotten() -> None:
    """Sessions that are over are not kept, and not ended again."""
    there = house()
    principal = there.gate.principal(SESSION)

    async def end() -> None:
        there.ended.append("again")

    there.admissions.admit("gone", (SESSION, principal), Action.VIEW, "a", end=end, lasts=lambda: False)
    with there.admissions.admitted("block", (SESSION, principal), Action.VIEW, "a", end=end):
        assert len(there.admissions) == 2
    assert await there.look() == []
    assert len(there.admissions) == 0


@pytest.mark.parametrize("path", ["/api/detections", "/api/streams/a/events", "/streams/a.mjpeg"])
@pytest.mark.parametrize("shown", [cookie("viewer"), bearer("view")], ids=["cookie", "token"])
async def test_an_answer_without_an_end_has_one(path: str, shown: dict[str, str]) -> None:
    """Events and MJPEG end at once, and give their places back, when the store no longer has who reads them."""
    async with run_door(everybody()) as door, door.ask("GET", path, shown) as answer:
        assert answer.status == 200
        await door.service.entrance.store.change(lambda before: before.without_user("viewer").without_token("id-view"))
        await answer.content.read()
        await until(lambda: len(door.service.streams.seats) == 0)
        assert await door.status("GET", path, shown) == 401


async def test_events_are_of_what_is_seen() -> None:
    """The feed of all streams carries those that whoever reads it may see."""
    async with run_door(everybody()) as door, door.ask("GET", "/api/detections", cookie("viewer")) as answer:
        events = door.service.events
        assert answer.status == 200
        for stream in ("b", "a"):
            events.publish(make_detections(0.0, stream=stream))
        lines = [await answer.content.readline() for _ in range(3)]
    assert b'"stream":"a"' in lines[2]


def test_who_is_called_the_same_elsewhere_is_another() -> None:
    """What a user began is not a proxy's, a token's or a link's of his name, nor is a stranger's a proxy's "nobody"."""
    inside = house()
    for name in "anna", "nobody":
        for kind in get_args(Kind):
            mine = Principal(kind, name)
            inside.admissions.admit(1, (Credential(), mine), Action.VIEW, "a", end=AsyncMock())
            his = {other for other in get_args(Kind) if inside.admissions.is_of(1, Principal(other, name))}
            assert his == {kind}
