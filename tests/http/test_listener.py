"""streamer.http.listener and its connections: raw sockets that are slow, silent, many, or no HTTP at all."""

import asyncio
import json
import logging
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from streamer import config
from streamer.http import body
from streamer.http.connections import IDLE_TIMEOUT, REQUEST_TIMEOUT, WRITE_TIMEOUT
from streamer.http.listener import Listener, bind
from streamer.http.served_certificate import ServedCertificate
from streamer.service import Service
from tests.peers.certificates import make_certificate, server_files
from tests.peers.clock import FakeClock
from tests.peers.process import free_port
from tests.peers.until import until

BEGUN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-"
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
EVENTS = b"GET /api/detections HTTP/1.1\r\nHost: localhost\r\n\r\n"
OFFER = b"POST /whep/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
ADD = b"POST /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Port:
    """A service without streams behind a port of this process; `run_port` makes one."""

    def __init__(self, service: Service, clock: FakeClock, number: int) -> None:
        self.service, self.clock, self.number = service, clock, number
        self.connections = service.connections
        self._peers: list[asyncio.StreamWriter] = []

    async def say(self, data: bytes, *, tls: ssl.SSLContext | None = None) -> Peer:
        """Connect, and send."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number, ssl=tls)
        self._peers.append(writer)
        writer.write(data)
        return reader, writer

    async def ask(self, data: bytes = WHOLE) -> bytes:
        """Send a request, and read an answer that has a length."""
        reader, _ = await self.say(data)
        return await answer(reader)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what is overdue be looked for."""
        self.clock.advance(seconds)
        self.connections.end_overdue()

    async def waiting(self, count: int) -> None:
        """Wait until so many are open, and for all that was sent to have come."""
        await until(lambda: len(self.connections) == count)
        await asyncio.sleep(0.05)  # what was sent has no event here; without it a test is only less strict

    def hang_up(self) -> None:
        """End every connection."""
        for each in self._peers:
            each.transport.abort()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One response that says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
    return head + await reader.readexactly(int(fields["Content-Length"]))


async def is_ended(peer: Peer) -> bool:
    """Wait for the end of what is sent to a peer."""
    with suppress(ConnectionResetError):
        await peer[0].read()
    return True


@asynccontextmanager
async def run_port(
    certificate: ServedCertificate | None = None,
    on_restart: Callable[[str], None] = lambda task: None,
    *,
    access: dict[str, object] | None = None,
    **server: object,
) -> AsyncIterator[Port]:
    """A service's port, for as long as the block lasts."""
    clock = FakeClock()
    settings = {
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "server": server,
        "api_streams": {"allowed": True},
        "access": access,
    }
    service = Service(config.parse(settings), clock)
    async with service.run() as application:
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        sockets = await bind("127.0.0.1", 0)
        assert runner.server is not None
        listener = Listener(
            sockets,
            runner.server,
            service.connections,
            service.shortage,
            certificate=certificate,
            on_restart=on_restart,
        )
        port = Port(service, clock, sockets[0].getsockname()[1])
        try:
            yield port
        finally:
            port.hang_up()
            await listener.close()
            await runner.cleanup()


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    """Give a service's port."""
    async with run_port() as port:
        yield port


@pytest.mark.parametrize("data", [b"", b"G", BEGUN, WHOLE[:-1]])
async def test_who_does_not_come_to_the_end_of_a_request_is_let_go(port: Port, data: bytes) -> None:
    """Silent from the beginning, or slow with headers: after ten seconds it is over, and viewers stay."""
    viewer, slow = await port.say(EVENTS), await port.say(data)
    await viewer[0].readuntil(b"retry: 1000\n\n")
    await port.waiting(2)
    slow[1].write(b"a" if data == BEGUN else b"")
    port.pass_time(REQUEST_TIMEOUT)
    assert await is_ended(slow)
    assert port.connections.ended == {"slow": 1}
    assert len(port.connections) == 1


async def test_who_waits_between_requests_may_wait_longer_but_not_for_ever(port: Port) -> None:
    """A proxy keeps its connections; a request that begins on one has ten seconds, as any other."""
    idle, slow = await port.say(WHOLE), await port.say(WHOLE)
    await answer(idle[0])
    await answer(slow[0])
    port.pass_time(REQUEST_TIMEOUT)
    assert len(port.connections) == 2
    slow[1].write(BEGUN)
    await port.waiting(2)
    port.pass_time(REQUEST_TIMEOUT)
    assert await is_ended(slow)
    port.pass_time(IDLE_TIMEOUT)
    assert await is_ended(idle)
    assert port.connections.ended == {"slow": 1, "idle": 1}


@pytest.mark.parametrize("head", [OFFER, ADD])
async def test_a_body_that_does_not_come_is_not_waited_for(
    port: Port, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offers and settings have their time, and then a sentence."""
    monkeypatch.setattr(body, "BODY_TIMEOUT", 0.01)
    known = head.replace(b"/whep/x", b"/whip/x")  # where no stream need be there first
    said = await port.ask(known + b"Content-Length: 500\r\n\r\nv=0")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come within" in said


async def test_who_takes_nothing_of_what_he_asked_for_is_let_go(port: Port) -> None:
    """Answers that are not taken are not kept for ever."""
    with socket.create_connection(("127.0.0.1", port.number)) as peer:
        peer.setblocking(False)
        peer.send(b"GET /web/viewer.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000)
        await until(lambda: any(each.overdue == "stuck" for each in port.connections._open))
        port.pass_time(WRITE_TIMEOUT)
        assert port.connections.ended == {"stuck": 1}
        assert len(port.connections) == 0


async def test_slow_ones_keep_nobody_out(tmp_path: Path) -> None:
    """With every place taken by those who say nothing, a newcomer gets in at once, from the same address too."""
    async with run_port(max_connections=8, max_connections_per_address=8) as port:
        slow = [await port.say(BEGUN) for _ in range(20)]
        for _ in range(20):
            assert (await port.ask()).startswith(b"HTTP/1.1 200 ")
        assert all([await is_ended(each) for each in slow])
        assert port.connections.ended["refused"] == 0


async def test_at_the_limit_a_newcomer_is_told_so() -> None:
    """Where every connection is of use, the next one is 503 in a sentence, and counted."""
    async with run_port(max_connections=8, max_connections_per_address=4) as port:
        viewers = [await port.say(EVENTS) for _ in range(4)]
        for each in viewers:
            await each[0].readuntil(b"retry: 1000\n\n")
        refused, _ = await port.say(b"")
        head, _, document = (await refused.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert "server.max_connections" in json.loads(document)["detail"]
        assert port.connections.ended == {"refused": 1}
        viewers[0][1].transport.abort()
        await until(lambda: len(port.connections) == 3)
        assert (await port.ask()).startswith(b"HTTP/1.1 200 ")


async def test_viewers_behind_a_trusted_proxy_are_told_apart() -> None:
    """Places by address are those of who asks, as the proxy says it."""

    def events(forwarded: bytes) -> bytes:
        return EVENTS.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: %s\r\n\r\n" % forwarded)

    async with run_port(trusted_proxies=["127.0.0.1"], max_viewers_per_address=1) as port:
        for address in (b"192.0.2.1", b"192.0.2.2"):
            viewer, _ = await port.say(events(address))
            assert (await viewer.readline()).startswith(b"HTTP/1.1 200 ")
        for again in (b"192.0.2.2", b"192.0.2.3\r\nX-Forwarded-For: 192.0.2.2"):
            viewer, _ = await port.say(events(again))
            assert (await viewer.readline()).startswith(b"HTTP/1.1 503 ")


async def test_the_way_into_the_folder_keeps_what_was_asked() -> None:
    """A folder without the slash at its end leads to the one with it, whatever the page is told in the query."""
    async with run_port(base_path="/sightline") as port:
        for query in (b"", b"?transport=mjpeg"):
            reader, _ = await port.say(WHOLE.replace(b"/healthz", b"/sightline" + query))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 308 ")
            assert b"\r\nLocation: /sightline/%s\r\n" % query in head


async def test_who_does_not_come_to_the_end_of_tls_takes_a_place_and_loses_it(tmp_path: Path) -> None:
    """A handshake that goes nowhere counts as a connection, and makes room for one that goes somewhere."""
    authority = make_certificate("localhost")
    served = ServedCertificate(*server_files(authority, tmp_path))
    asks = ssl.create_default_context(cadata=authority.cert)
    asks.check_hostname = False
    async with run_port(served, max_connections=8, max_connections_per_address=8) as port:
        silent = [await port.say(b"\x16\x03\x01") for _ in range(12)]
        reader, _ = await port.say(WHOLE, tls=asks)
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")
        port.pass_time(REQUEST_TIMEOUT)
        assert all([await is_ended(each) for each in silent])


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\x00 / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\x00: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        OFFER.replace(b"/whep/", b"/whip/") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "\x00\x01 nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_400_and_nothing_of_it_in_the_log(
    port: Port, data: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    """At first or (what is text here) after a good request, in a line, a header or a body: a sentence, no traceback."""
    caplog.set_level(logging.INFO)
    reader, writer = await port.say(b"" if isinstance(data, str) else data)
    if isinstance(data, str):
        writer.write(WHOLE)
        await answer(reader)
        writer.write(data.encode())
    said = await answer(reader)
    head, _, document = said.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert json.loads(document)["detail"]
    assert b"aiohttp" not in head
    assert b"Python" not in head
    assert (await port.ask()).startswith(b"HTTP/1.1 200 ")
    assert not [record for record in caplog.records if record.name.startswith(("aiohttp", "asyncio", "streamer.http"))]


def next_descriptor() -> int:
    """The number that the next file or socket of this process gets."""
    used = {int(each.name) for each in Path("/proc/self/fd").iterdir()}
    return min(set(range(len(used) + 1)) - used)


async def test_without_a_descriptor_to_spare_those_that_are_there_are_answered(
    port: Port, caplog: pytest.LogCaptureFixture
) -> None:
    """At the limit of the process a connection that waits goes for a newcomer, and that is said without a traceback."""
    viewer = await port.say(EVENTS)
    await viewer[0].readuntil(b"retry: 1000\n\n")
    kept = await port.say(WHOLE)
    await answer(kept[0])
    peers = [socket.socket() for _ in range(6)]  # made before there are none left
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor() + 2, limits[1]))
    try:
        for each in peers:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port.number))
        await until(lambda: port.connections.ended["descriptors"])
        kept_is_over = await is_ended(kept)
        peers[-1].send(WHOLE)
        said = await asyncio.get_running_loop().sock_recv(peers[-1], 15)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for each in peers:
            each.close()
    assert kept_is_over
    assert said == b"HTTP/1.1 200 OK"
    assert not viewer[0].at_eof()
    assert "no descriptor is free" in caplog.text
    assert not any(record.exc_info for record in caplog.records)
