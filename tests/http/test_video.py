"""streamer.http.video: who may watch a clean video, how it ends, and viewers that mean no good."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType, web

from streamer import config
from streamer.access.accounts import Accounts
from streamer.access.action import Role
from streamer.http.allowance import Allowance
from streamer.http.connections import WRITE_TIMEOUT
from streamer.http.listener import Listener, bind
from streamer.http.video import read_wish
from streamer.http.viewer_way import BURST, MOST_SAID
from streamer.service import Service
from streamer.view.clean.backlog import MOST_BYTES
from streamer.view.clean.clean import Clean
from tests.http.guests import bearer, cookie, everybody, signed_in
from tests.peers.clock import FakeClock
from tests.peers.nginx import run_nginx
from tests.peers.process import free_port
from tests.peers.until import until
from tests.view.clean.peers import coded

VIDEO = "/api/streams/a/video"
GREETED = ["hello", "form", "group", 0]


class Port:
    """A service behind a port of this process, with the streams a and b, whose pictures a test makes."""

    def __init__(self, service: Service, clock: FakeClock, number: int, client: aiohttp.ClientSession) -> None:
        self.service, self.clock, self.number = service, clock, number
        self._client = client
        self._count = 0

    @property
    def clean(self) -> Clean:
        """The clean video of a."""
        pipeline = self.service.streams.get("a")
        assert pipeline is not None
        return pipeline.clean

    async def come(self, *keys: bool, size: int = 10) -> None:
        """Pictures come."""
        for key in keys:
            self.clean.put(coded(self._count, key=key, data=b"x" * size))
            self._count += 1
            await asyncio.sleep(0)

    @asynccontextmanager
    async def watch(
        self, path: str = VIDEO, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Watch."""
        url = f"http://127.0.0.1:{self.number}{path}"
        async with self._client.ws_connect(url, headers=headers, autoping=False) as way:
            yield way

    async def refused(self, path: str = VIDEO, headers: Mapping[str, str] | None = None) -> int:
        """With which status that is refused."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with self.watch(path, headers):
                pass
        return refusal.value.status


@asynccontextmanager
async def run_port(
    accounts: Accounts | None = None, access: dict[str, Any] | None = None, **server: Any
) -> AsyncIterator[Port]:
    """For as long as the block lasts."""
    clock, away = FakeClock(), {"url": f"rtsp://127.0.0.1:{free_port()}/x"}
    document = {
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "server": server,
        "streams": {"a": away, "b": away},
        "access": access,
    }
    service = Service(config.parse(document), clock)
    if accounts is not None:
        service.entrance.store.change_now(lambda _: accounts)
    async with service.run() as application, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
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
        port = Port(service, clock, sockets[0].getsockname()[1], client)
        await port.come(True)
        try:
            yield port
        finally:
            await listener.close()
            await runner.cleanup()


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    """Give a service that is open to anybody."""
    async with run_port() as port:
        yield port


async def heard(way: aiohttp.ClientWebSocketResponse, count: int) -> list[str | int]:
    """So many messages, by type; pictures by the length of their numbers' being 0."""
    found: list[str | int] = []
    for _ in range(count):
        message = await way.receive()
        if message.type is WSMsgType.TEXT:
            found.append(json.loads(message.data)["type"])
        else:
            assert message.type is WSMsgType.BINARY, message
            found.append(int(message.data.split()[-1]))
    return found


async def close_code(way: aiohttp.ClientWebSocketResponse) -> int | None:
    """With which code the service ends it."""
    while not way.closed:
        await way.receive()
    return way.close_code


async def test_a_viewer_is_greeted_and_sent_what_comes(port: Port) -> None:
    """What there is at once, then every picture; he has a place for as long as he watches, and is counted."""
    async with port.watch() as way:
        assert await heard(way, 4) == GREETED
        assert (port.clean.viewers, len(port.service.streams.seats)) == (1, 1)
        await port.come(False, True)
        assert await heard(way, 2) == [1, 2]
    await until(lambda: (port.clean.viewers, len(port.service.streams.seats)) == (0, 0))


async def test_what_is_no_websocket_is_told_so(port: Port) -> None:
    """426, with what to ask for; a broken handshake too."""
    url = f"http://127.0.0.1:{port.number}{VIDEO}"
    for headers in ({}, {"Upgrade": "h2c", "Connection": "upgrade"}, {"Upgrade": "websocket", "Connection": "upgrade"}):
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
            assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
            assert "WebSocket" in (await response.json())["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_a_foreign_page_is_refused(port: Port, headers: dict[str, str], status: int) -> None:
    """A page of a stranger's cannot have a browser watch for it; nor one whose name has come to mean this machine."""
    assert await port.refused(headers=headers) == status
    async with port.watch(headers={"Origin": f"http://127.0.0.1:{port.number}"}) as way:
        assert await heard(way, 1) == ["hello"]


async def test_listed_pages_may_watch() -> None:
    """Those of `server.origins`."""
    async with (
        run_port(origins=["https://wall.example"]) as port,
        port.watch(headers={"Origin": "https://wall.example"}) as way,
    ):
        assert await heard(way, 1) == ["hello"]


async def test_who_may_not_view_is_refused() -> None:
    """Nobody, a viewer of another stream, and a token for something else: as everywhere."""
    async with run_port(everybody(), {}) as port:
        assert await port.refused() == 401
        assert await port.refused(headers=cookie("other")) == 404
        assert await port.refused(headers=bearer("publish")) == 403
        assert await port.refused("/api/streams/none/video", cookie("viewer")) == 404
        async with port.watch(headers=bearer("view")) as way:
            assert await heard(way, 4) == GREETED


async def test_it_ends_when_the_permission_does() -> None:
    """A viewer who is given other streams sees this one no more."""
    async with run_port(everybody(), {}) as port, port.watch(headers=cookie("viewer")) as way:
        assert await heard(way, 4) == GREETED
        port.service.entrance.store.change_now(lambda _: signed_in(Accounts(), "viewer", Role.VIEWER, "b"))
        assert await close_code(way) == WSCloseCode.GOING_AWAY
        await until(lambda: port.clean.viewers == 0)


async def test_it_ends_with_its_stream(port: Port) -> None:
    """And its place is free; another stream's goes on."""
    async with port.watch() as way, port.watch("/api/streams/b/video") as other:
        assert await heard(way, 4) == GREETED
        assert await heard(other, 1) == ["hello"]
        await port.service.streams.remove("a")
        assert await close_code(way) == WSCloseCode.GOING_AWAY
        await until(lambda: len(port.service.streams.seats) == 1)
        assert not other.closed


async def test_it_ends_with_the_service() -> None:
    """Viewers are told, and not waited for."""
    async with aiohttp.ClientSession() as client, run_port() as port:
        way = await client.ws_connect(f"http://127.0.0.1:{port.number}{VIDEO}")
        assert await heard(way, 4) == GREETED
        ending = asyncio.create_task(close_code(way))
        await asyncio.sleep(0)
    assert await ending == WSCloseCode.GOING_AWAY


async def test_it_takes_a_place() -> None:
    """With none free it is 503, before anything is upgraded."""
    async with run_port(max_viewers_per_stream=1) as port, port.watch() as way:
        assert await heard(way, 1) == ["hello"]
        assert await port.refused() == 503
        async with port.watch("/api/streams/b/video"):
            pass


async def test_it_is_below_the_base_path_too() -> None:
    """As a proxy asks for it that serves a folder."""
    async with run_port(base_path="/sightline") as port, port.watch(f"/sightline{VIDEO}") as way:
        assert await heard(way, 4) == GREETED


async def test_it_passes_a_proxy() -> None:
    """As docs/proxy.md sets nginx up: in a folder, under a name of its own; a foreign page is refused there too."""
    async with run_port(base_path="/sightline", names=["cameras.example.org"], trusted_proxies=["127.0.0.1"]) as port:
        hand_on = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;"
        host = "proxy_http_version 1.1; proxy_set_header Host $http_host;"
        location = f"location /sightline {{ proxy_pass http://127.0.0.1:{port.number}; {host} {hand_on} }}"
        with run_nginx(location) as proxy:
            path, direct = f"/sightline{VIDEO}", port.number
            port.number = proxy
            named = {"Host": "cameras.example.org"}
            async with port.watch(path, {**named, "Origin": "https://cameras.example.org"}) as way:
                assert await heard(way, 4) == GREETED
                await port.come(False)
                assert await heard(way, 1) == [1]
            assert await port.refused(path, {**named, "Origin": "https://evil.example"}) == 403
            port.number = direct


async def test_a_viewer_may_pause_and_go_on(port: Port) -> None:
    """While he has paused nothing comes; then everything there is, at once."""
    async with port.watch() as way:
        assert await heard(way, 4) == GREETED
        await way.send_json({"pause": True})
        await way.ping()
        assert (await way.receive()).type is WSMsgType.PONG  # behind it, he has paused
        await port.come(False, True, False)
        await way.send_json({"pause": False})
        assert await heard(way, 4) == ["form", "group", 2, 3]


async def test_a_viewer_may_say_how_large_he_sees_it(port: Port) -> None:
    """As he comes, and later; where there is no smaller video he goes on with the one there is, and is told nothing."""
    async with port.watch(f"{VIDEO}?size=small") as way:
        assert await heard(way, 4) == GREETED
        for size in ("large", "small"):
            await way.send_json({"size": size})
        await way.ping()
        assert (await way.receive()).type is WSMsgType.PONG
        await port.come(False)
        assert await heard(way, 1) == [1]
    assert await port.refused(f"{VIDEO}?size=huge") == 400


NO_WORDS = ["", "x", "[]", "{}", '{"pause": 1}', '{"pause": null}', "[" * 250, "1e999", "null"]


@pytest.mark.parametrize("said", [*NO_WORDS, '{"size": 1}', '{"size": "tiny"}', '{"size": []}'])
async def test_who_says_what_is_no_word_is_let_go(port: Port, said: str) -> None:
    """1008, for it is not what docs/api.md has."""
    assert read_wish(said) is None
    async with port.watch() as way:
        await way.send_str(said)
        assert await close_code(way) == WSCloseCode.POLICY_VIOLATION
    await until(lambda: port.clean.viewers == 0)


async def test_who_says_it_in_binary_is_let_go(port: Port) -> None:
    """1008 too."""
    async with port.watch() as way:
        await way.send_bytes(b'{"pause": true}')
        assert await close_code(way) == WSCloseCode.POLICY_VIOLATION


@pytest.mark.parametrize("size", [MOST_SAID + 1, 1 << 20])
async def test_who_says_too_much_at_once_is_let_go(port: Port, size: int) -> None:
    """1009, before much of it is read; the others watch on."""
    async with port.watch() as other, port.watch() as way:
        assert await heard(other, 4) == GREETED
        await way.send_str("x" * size)
        assert await close_code(way) in (WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.ABNORMAL_CLOSURE)
        await until(lambda: port.clean.viewers == 1)
        await port.come(False)
        assert await heard(other, 1) == [1]


@pytest.mark.parametrize("kind", ["wish", "ping", "pong"])
async def test_who_says_too_often_is_let_go(port: Port, kind: str) -> None:
    """1008, whatever he says, pings and pongs among it: each costs an answer or a look."""
    async with port.watch() as way:
        for number in range(BURST + 5):
            if kind == "wish":
                await way.send_json({"pause": number % 2 == 0})
            else:
                await (way.ping() if kind == "ping" else way.pong())
        assert await close_code(way) == WSCloseCode.POLICY_VIOLATION


async def test_who_never_reads_is_bounded_and_let_go(port: Port) -> None:
    """What waits for him has a bound, others have every picture meanwhile, and he is ended after a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number, limit=1024)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    head = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}"
    writer.write(f"GET {VIDEO} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
    assert b" 101 " in await reader.readline()
    await until(lambda: port.clean.viewers == 1)
    [silent] = port.clean._viewers
    async with port.watch() as other:
        assert await heard(other, 4) == GREETED
        number = 1
        while not port.clean.dropped:
            await port.come(False, size=200_000)
            assert await heard(other, 1) == [number]
            number += 1
            assert silent.waiting_bytes <= MOST_BYTES + 1000
            assert number < 500
        port.clock.advance(WRITE_TIMEOUT)
        port.service.connections.end_overdue()
        await until(lambda: port.clean.viewers == 1)
        assert port.service.connections.ended["stuck"] == 1
    writer.transport.abort()


def test_an_allowance_is_some_at_once_and_so_many_a_second() -> None:
    """What was not used is not saved beyond the burst."""
    allowance = Allowance(3, 2.0, 0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(1.0) for _ in range(3)] == [True, True, False]
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]
