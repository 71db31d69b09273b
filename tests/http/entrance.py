"""The routes of access in an application of their own, and browsers that ask it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from streamer.access.accounts import Accounts, Token, User
from streamer.access.action import Action, Role
from streamer.access.attempts import Attempts
from streamer.access.audit import Audit, Deed
from streamer.access.credential import digest
from streamer.access.gate import Gate, GateRules
from streamer.access.password import Passwords
from streamer.access.store import Store
from streamer.access.token_uses import TokenUses
from streamer.control.streams import Streams
from streamer.http import audit, changes, links, own_password, session, sessions, tokens, users
from streamer.http.access_keys import ACCESS, AccessParts
from streamer.http.gate import gate
from streamer.http.keys import PROXIES, STREAMS
from streamer.http.needs import GATE, needs
from streamer.http.problems import SHORTAGE, problems
from streamer.http.shortage import Shortage
from streamer.http.trusted_proxies import TrustedProxies
from streamer.values.errors import Overloaded
from tests.peers.clock import FakeClock

SESSION_SECONDS = 3600.0
PASSWORD = "correct horse"


class CountingPasswords(Passwords):
    """Hashes nothing, and counts what would be hashed."""

    def __init__(self) -> None:
        super().__init__()
        self.verified = 0
        self.hashed_ = 0
        self.full = False

    async def hashed(self, password: str) -> str:
        """Its hash is the password."""
        self.hashed_ += 1
        return f"hash of {password}"

    async def verify(self, password: str, hashed: str | None, *, known: bool = False) -> bool:
        """The same."""
        if self.full and not known:
            raise Overloaded("too many passwords wait to be checked", retry_after=1)
        self.verified += 1
        return hashed == f"hash of {password}"


class NotedDeeds(Audit):
    """Keeps what is noted in a list."""

    def __init__(self, wall: FakeClock) -> None:
        super().__init__(None, wall)
        self.deeds: list[Deed] = []

    def note(self, deed: Deed) -> None:
        """Note it in both."""
        super().note(deed)
        self.deeds.append(deed)

    @property
    def told(self) -> list[tuple[str, str, str, bool]]:
        """Who, what, to whom, and whether it was done."""
        return [(deed.who, deed.what, deed.target, deed.ok) for deed in self.deeds]


@dataclass
class Entrance:
    """One such application."""

    url: str
    store: Store
    passwords: Passwords
    audit: NotedDeeds
    token_uses: TokenUses
    wall: FakeClock
    clock: FakeClock

    @asynccontextmanager
    async def browser(self, name: str | None = None, **headers: str) -> "AsyncIterator[Browser]":
        """A browser; `name`: somebody is signed in there."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers) as client:
            browser = Browser(self.url, client)
            if name is not None:
                assert (await browser.sign_in(name)).status == 201
            yield browser

    @asynccontextmanager
    async def program(self, secret: str) -> "AsyncIterator[Browser]":
        """A program that shows a token."""
        async with self.browser(Authorization=f"Bearer {secret}") as browser:
            yield browser

    async def add(self, *users: User) -> None:
        """Add users, whose password is PASSWORD where they say none."""
        hashed = await self.passwords.hashed(PASSWORD)

        def added(accounts: Accounts) -> Accounts:
            for user in users:
                accounts = accounts.with_user(
                    User(user.name, user.role, user.streams, user.password or hashed, user.created_at)
                )
            return accounts

        await self.store.change(added)

    async def add_token(self, *actions: Action, streams: tuple[str, ...] = ("*",)) -> str:
        """Add a token; gives its secret."""
        secret = "slt_of-a-test"
        token = Token("1d", "program", digest(secret), frozenset(actions), streams)
        await self.store.change(lambda accounts: accounts.with_token(token))
        return secret


@dataclass
class Said:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str
    document: Any

    @property
    def detail(self) -> str:
        """The sentence of a refusal."""
        return str(self.document["detail"])


@dataclass
class Browser:
    """One browser, or one program."""

    url: str
    client: aiohttp.ClientSession

    @property
    def cookies(self) -> dict[str, str]:
        """What it keeps."""
        return {cookie.key: cookie.value for cookie in self.client.cookie_jar}

    async def ask(self, method: str, path: str, document: object = None, **headers: str) -> Said:
        """One request."""
        async with self.client.request(method, self.url + path, headers=headers, json=document) as response:
            text = await response.text()
            is_json = "json" in response.content_type
            return Said(
                response.status, response.headers, text, await response.json(content_type=None) if is_json else None
            )

    async def sign_in(self, name: str, password: str = PASSWORD) -> Said:
        """Try to."""
        return await self.ask("POST", "/api/session", {"name": name, "password": password})

    async def who(self) -> tuple[str, str]:
        """As whom it is known."""
        principal = (await self.ask("GET", "/api/session")).document["principal"]
        return principal["kind"], principal["name"]


class _Stream:
    def __init__(self, name: str) -> None:
        self.name = name


class _Streams(dict[str, _Stream]):
    def __iter__(self) -> Any:
        return iter(self.values())


@needs(Action.VIEW, stream="name")
async def _still(request: web.Request) -> web.Response:
    return web.Response(text=f"a picture of {request.match_info['name']}")


@asynccontextmanager
async def run_entrance(
    *streams: str,
    rules: GateRules | None = None,
    passwords: Passwords | None = None,
    proxies: TrustedProxies | None = None,
    remote: Callable[[web.Request], str] | None = None,
) -> AsyncIterator[Entrance]:
    """Serve these routes, and the stills of these streams, for as long as the block lasts."""
    wall, clock = FakeClock(1_800_000_000.0), FakeClock()
    store, deeds = Store(None, wall), NotedDeeds(wall)
    uses = TokenUses(store, wall)
    passwords = CountingPasswords() if passwords is None else passwords

    @web.middleware
    async def from_where(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        return await handler(request if remote is None else request.clone(remote=remote(request)))

    app = web.Application(middlewares=[problems, from_where, gate])
    app[SHORTAGE] = Shortage(clock)
    changes.set_up(app)
    app[PROXIES] = TrustedProxies() if proxies is None else proxies
    app[GATE] = Gate(GateRules(is_open=False) if rules is None else rules, lambda: store.accounts, wall)
    app[ACCESS] = AccessParts(store, passwords, Attempts(clock), deeds, uses, SESSION_SECONDS, wall)
    app[STREAMS] = cast(Streams, _Streams({name: _Stream(name) for name in streams}))
    for base in dict.fromkeys(("", app[PROXIES].base_path)):
        for room in (audit, links, own_password, session, sessions, tokens, users):
            for each in room.routes:
                assert isinstance(each, web.RouteDef)
                app.router.add_route(each.method, base + each.path, each.handler)
        app.router.add_get(base + "/api/streams/{name}/frame.jpg", _still)
        app.router.add_get(base + "/api/streams/{name}", _still)
    async with TestServer(app) as server:  # which cancels what nobody waits for, as app.py has it
        yield Entrance(str(server.make_url("")).rstrip("/"), store, passwords, deeds, uses, wall, clock)


ADMIN, OPERATOR, VIEWER = (
    User("anna", Role.ADMIN),
    User("otto", Role.OPERATOR),
    User("vera", Role.VIEWER, ("porch",)),
)
