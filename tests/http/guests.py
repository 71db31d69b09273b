"""Everybody who may ask something of a service, and the service: in this process, without cameras and model server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from streamer import config
from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import Action, Role
from streamer.access.credential import digest
from streamer.service import Service
from tests.peers.process import free_port

NEVER = 4e9
"""Seconds since 1970."""
PROXY, ELSEWHERE = "127.0.0.1", "127.0.0.2"
ACCESS = {
    "proxy": {"user_header": "Remote-User", "groups_header": "Remote-Groups"},
    "groups": {"guards": {"role": "viewer", "streams": ["a"]}},
}


def signed_in(accounts: Accounts, name: str, role: Role, *streams: str) -> Accounts:
    """With a user of that name, who has a session whose cookie is the name again."""
    user = User(name, role, streams or ("*",))
    session = Session(digest(name), f"session-{name}", name, begun_at=0.0, expires_at=NEVER)
    return accounts.with_user(user).with_session(session)


def with_token(accounts: Accounts, secret: str, *actions: Action, streams: tuple[str, ...] = ("*",)) -> Accounts:
    """With a token of these actions."""
    return accounts.with_token(Token(f"id-{secret}", secret, digest(secret), frozenset(actions), streams))


def everybody() -> Accounts:
    """A user of each role, one who sees another stream than the rest, and a token of each action."""
    accounts = signed_in(Accounts(), "other", Role.VIEWER, "b")
    accounts = signed_in(accounts, "viewer", Role.VIEWER, "a")
    accounts = signed_in(accounts, "operator", Role.OPERATOR, "a")
    accounts = signed_in(accounts, "admin", Role.ADMIN)
    for action in Action:
        accounts = with_token(accounts, action.value, action)
    return accounts


def cookie(name: str) -> dict[str, str]:
    """What the browser of a user sends."""
    return {"Cookie": f"sightline={name}"}


def bearer(secret: str) -> dict[str, str]:
    """What a program sends."""
    return {"Authorization": f"Bearer {secret}"}


@dataclass(frozen=True)
class Door:
    """A service, and how it is asked."""

    service: Service
    application: web.Application
    url: str

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        address: str = PROXY,
        json: object = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, from one of this machine's addresses; its answer may have no end."""
        connector = aiohttp.TCPConnector(local_addr=(address, 0), force_close=True)
        # Without a cookie jar of its own: each request shows what it is given.
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client,
            client.request(method, self.url + path, headers=headers, json=json, allow_redirects=False) as response,
        ):
            yield response

    async def status(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
        """How one request is answered."""
        async with self.ask(method, path, headers) as response:
            return response.status

    async def sentence(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, json: object = None
    ) -> tuple[int, str]:
        """How one is refused, and in which words."""
        async with self.ask(method, path, headers, json=json) as response:
            return response.status, (await response.json())["detail"]


@asynccontextmanager
async def run_door(
    accounts: Accounts | None = None,
    *,
    access: Mapping[str, Any] | None = ACCESS,
    path: Path | None = None,
    **sections: Any,
) -> AsyncIterator[Door]:
    """A service with the streams a and b, whose cameras are away.

    Args:
        accounts: who is known to it.
        access: the section of that name; None: there is none.
        path: the configuration file it follows, whatever stands there.
        sections: others.
    """
    away = {"url": f"rtsp://127.0.0.1:{free_port()}/x"}
    document: dict[str, Any] = {
        "server": {"trusted_proxies": [PROXY], "max_viewers_per_address": 100, **sections.pop("server", {})},
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "streams": {"a": away, "b": away},
        "api_streams": {"allowed": True},
        **sections,
    }
    if access is not None:
        document["access"] = dict(access)
    service = Service(config.parse(document), path=path)
    if accounts is not None:
        service.entrance.store.change_now(lambda _: accounts)
    async with service.run() as application, TestServer(application) as server:
        yield Door(service, application, str(server.make_url("")).rstrip("/"))
