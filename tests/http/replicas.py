"""Replicas of a cluster in this process, each behind a port of its own, and one to play an owner that means no good.

Where streams run is what a test says: of NATS and claims nothing is here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from streamer import config
from streamer.access.accounts import Accounts
from streamer.access.caller import CALLER, Caller, Question, signed
from streamer.http.forwarding.neighbours import Neighbours
from streamer.http.listener import Listener, bind
from streamer.keeping import Keeping
from streamer.service import Service
from streamer.values.replica import Replica
from tests.peers.clock import FakeClock
from tests.peers.process import free_port

KEY = b"of the tests' cluster, 32 bytes."
WALL = 1_800_000_000.0


@dataclass
class Map:
    """What a test says of the whole cluster."""

    owners: dict[str, str | None] = field(default_factory=dict)
    """Replicas by stream."""
    urls: dict[str, str] = field(default_factory=dict)
    """Of those that live, by name."""


@dataclass
class SaidWhereabouts:
    """What one replica knows of it: all."""

    me: str
    map: Map

    def of(self, stream: str) -> Replica | None:
        """As the test says."""
        owner = self.map.owners.get(stream)
        if owner is None or owner == self.me or owner not in self.map.urls:
            return None
        return Replica(owner, self.map.urls[owner])

    def is_shared(self, stream: str) -> bool:
        """Those that the test names."""
        return stream in self.map.owners

    def streams(self) -> tuple[str, ...]:
        """The same."""
        return tuple(self.map.owners)

    def others(self) -> tuple[Replica, ...]:
        """All that have an address."""
        return tuple(Replica(name, url) for name, url in sorted(self.map.urls.items()) if name != self.me)


@dataclass
class RunningReplica:
    """One."""

    name: str
    service: Service
    application: web.Application
    neighbours: Neighbours
    url: str
    clock: FakeClock
    client: aiohttp.ClientSession

    def signed(self, method: str, path: str, caller: Caller, *, to: str | None = None, now: float = WALL) -> str:
        """The header by which another replica would ask this one."""
        return signed(caller, Question(self.name if to is None else to, method, path), KEY, now)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, CIMultiDictProxy[str], bytes]:
        """Status, headers and body of an answer."""
        async with self.client.request(method, self.url + path, allow_redirects=False, **more) as answer:
            return answer.status, answer.headers, await answer.read()

    async def sentence(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """How one is refused, and in which words."""
        async with self.client.request(method, self.url + path, allow_redirects=False, **more) as answer:
            return answer.status, (await answer.json(content_type="application/problem+json"))["detail"]

    async def listed(self) -> dict[str, dict[str, Any]]:
        """The list of streams, by name."""
        async with self.client.get(self.url + "/api/streams") as answer:
            return {row["name"]: row for row in await answer.json()}


@asynccontextmanager
async def run_replica(
    name: str,
    streams: Iterable[str],
    map: Map,  # noqa: A002  what it is
    *,
    accounts: Accounts | None = None,
    key: bytes = KEY,
    connecting: float = 5.0,
    **sections: Any,
) -> AsyncIterator[RunningReplica]:
    """A service that runs these streams, whose cameras are away, in the cluster of the map; `archive` is its own."""
    clock, away = FakeClock(), {"url": f"rtsp://127.0.0.1:{free_port()}/x"}
    document = {
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "streams": dict.fromkeys(streams, away),
        **sections,
    }
    service = Service(config.parse(document), clock)
    if service.config.archive is not None:
        service.keeping = Keeping(service.config, None, clock=clock, replica=name)
    if accounts is not None:
        service.entrance.store.change_now(lambda _: accounts)
    neighbours = Neighbours(SaidWhereabouts(name, map), key, wall=lambda: WALL, clock=clock, connecting=connecting)
    service.neighbours = neighbours
    async with service.run() as application, AsyncExitStack() as left:
        client = await left.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        left.push_async_callback(runner.cleanup)
        sockets = await bind("127.0.0.1", 0)
        assert runner.server is not None
        listener = Listener(
            sockets,
            runner.server,
            service.connections,
            service.shortage,
            certificate=None,
            on_restart=lambda task: None,
        )
        left.push_async_callback(listener.close)
        map.urls[name] = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        yield RunningReplica(name, service, application, neighbours, map.urls[name], clock, client)


@dataclass
class Two:
    """Two, of which each runs one stream: here "a", there "b"."""

    here: RunningReplica
    there: RunningReplica
    map: Map


@asynccontextmanager
async def run_two(accounts: Accounts | None = None, **sections: Any) -> AsyncIterator[Two]:
    """Both."""
    said = Map({"a": "here", "b": "there"})
    async with (
        run_replica("here", "a", said, accounts=accounts, **sections) as here,
        run_replica("there", "b", said, **sections) as there,
    ):
        yield Two(here, there, said)


Answers = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def run_owner(answers: Answers) -> AsyncIterator[str]:
    """A web server that answers whatever it is asked so; gives its URL."""
    runner = web.ServerRunner(web.Server(answers, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


__all__ = ["CALLER", "KEY", "WALL", "Answers", "Map", "RunningReplica", "Two", "run_owner", "run_replica", "run_two"]
