"""streamer.http.forwarding.over_http: owners and viewers that mean no good, or go away half way."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest
from aiohttp import web

from streamer.http.connections import WRITE_TIMEOUT
from streamer.http.forwarding import over_http, passed
from tests.http.replicas import Map, RunningReplica, run_owner, run_replica
from tests.peers.until import until

ONE = "/api/streams/b"
PIECE = b"x" * (64 << 10)
MOST = 64 << 20
"""Bytes that the kernel may hold of two connections, who takes as much for each as it likes."""
LOOKS = 100
"""At the same number, after which it stands still."""

Said = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def run_raw(said: Said) -> AsyncIterator[str]:
    """An owner that writes what it likes; gives its URL."""
    open_: list[asyncio.StreamWriter] = []

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.append(writer)
        await said(reader, writer)

    server = await asyncio.start_server(told, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in open_:
            writer.transport.abort()


@asynccontextmanager
async def run_here(owner: str, connecting: float = 5.0) -> AsyncIterator[RunningReplica]:
    """A replica that takes this for the owner of b."""
    said = Map({"b": "there"})
    async with run_replica("here", "a", said, connecting=connecting) as here:
        said.urls["there"] = owner
        yield here


async def answers(url: str, connecting: float = 5.0) -> tuple[int, str, str | None]:
    """Status, sentence and Retry-After that a replica answers with such an owner."""
    async with run_here(url, connecting) as here:
        _, headers, _ = await here.ask("GET", ONE)
        return *await here.sentence("GET", ONE), headers.get("Retry-After")


# ---- owners


async def test_an_owner_that_refuses_connections_is_away() -> None:
    """It is 503, to be asked again in a second."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, sentence, again = await answers(f"http://127.0.0.1:{port}")
    assert (status, again) == (503, "1")
    assert "the replica there, which runs 'b', does not answer" in sentence


async def test_an_owner_that_hangs_in_connecting_is_given_up() -> None:
    """A port whose queue is full answers nothing at all; after the seconds for that it is 503."""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    try:
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        status, _, again = await answers(f"http://127.0.0.1:{full.getsockname()[1]}", connecting=0.2)
        assert (status, again) == (503, "1")
    finally:
        for each in (full, *waiting):
            each.close()


async def test_an_owner_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes the connection and says nothing, as a process that was stopped."""
    monkeypatch.setattr(passed, "PATIENCE", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with run_raw(silent) as url:
        assert (await answers(url))[0] == 503


async def test_an_owner_that_is_found_dead_is_waited_for_no_longer() -> None:
    """As soon as its claim is another's, whoever waits for it is told to come back."""
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()

    async with run_raw(silent) as url, run_here(url) as here:
        asking = asyncio.create_task(here.sentence("GET", ONE))
        await asked.wait()
        del here.neighbours.whereabouts.map.urls["there"]  # type: ignore[attr-defined]
        assert (await asking)[0] == 503


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
async def test_an_owner_that_speaks_no_http_is_said_to(said: bytes) -> None:
    """Too many headers, one too long, or none that are any: 502 or 503 in a sentence, and no fault of ours."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with run_raw(rude) as url:
        status, sentence, _ = await answers(url)
        assert status in (502, 503)
        assert sentence.startswith("the replica there")


async def test_headers_without_an_end_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends one line after the other, each of which may be, is cut off; so is who only ever announces one."""
    monkeypatch.setattr(passed, "PATIENCE", 0.5)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            writer.close()

    async with run_raw(endless) as url:
        assert (await answers(url))[0] in (502, 503)


@pytest.mark.parametrize("head", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
async def test_a_body_that_breaks_off_does_not_look_like_the_whole(head: bytes) -> None:
    """An owner that dies in the midst of it ends the connection of who asked."""

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n3\r\nabc\r\n")
        await writer.drain()
        writer.transport.abort()

    async with run_raw(dying) as url, run_here(url) as here:
        with pytest.raises(aiohttp.ClientError):
            await here.ask("GET", ONE)


async def test_a_body_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip, and events, of which a comment would come; pictures of a camera may be as silent as that is."""
    monkeypatch.setattr(over_http, "QUIET", 0.1)
    kinds = {"b": "video/mp4", "events": "text/event-stream", "b.mjpeg": "multipart/x-mixed-replace; boundary=x"}

    async def still(request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        response = web.StreamResponse(headers={"Content-Type": kinds[name]})
        await response.prepare(request)
        await response.write(b"begun\n")
        await asyncio.sleep(0.3 if name == "b.mjpeg" else 3600)
        await response.write(b"and more\n")
        return response

    async with run_owner(still) as url, run_here(url) as here:
        for path in (ONE, f"{ONE}/events"):
            with pytest.raises(aiohttp.ClientError):
                await here.ask("GET", path)
        assert (await here.ask("GET", "/streams/b.mjpeg"))[2] == b"begun\nand more\n"


# ---- viewers


async def test_no_more_is_held_of_a_body_than_buffers_hold() -> None:
    """To who takes nothing an owner can send some MiB, whatever it has; and he is let go after his time."""
    sent = 0

    async def enormous(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(PIECE)
            sent += len(PIECE)

    async with run_owner(enormous) as url, run_here(url) as here:
        _, writer = await asyncio.open_connection(*here.url.removeprefix("http://").split(":"), limit=1024)
        writer.write(f"GET {ONE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        seen: list[int] = []

        def stands_still() -> bool:
            seen.append(sent)
            return sent > MOST or (sent > 0 and len(seen) > LOOKS and seen[-LOOKS] == sent)

        await until(stands_still)
        assert sent <= MOST

        def is_let_go() -> bool:
            here.clock.advance(WRITE_TIMEOUT + 1)
            here.service.connections.end_overdue()
            return not here.neighbours._held

        await until(is_let_go)
        writer.transport.abort()


async def test_whoever_goes_is_let_go_at_the_owner() -> None:
    """Before an answer, in the midst of one, and in the midst of his own body."""
    asked = left = 0

    async def patient(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal asked, left
        asked += 1
        try:
            if request.method == "POST":
                await request.read()
            if request.path.endswith("events"):
                response = web.StreamResponse()
                await response.prepare(request)
                await response.write(b"begun")
            await asyncio.sleep(3600)
        finally:
            left += 1
        return web.Response()

    async with run_owner(patient) as url, run_here(url) as here:
        address = here.url.removeprefix("http://").split(":")
        asking = (
            (f"GET {ONE}", "\r\n"),
            (f"GET {ONE}/events", "\r\n"),
            ("POST /whep/b", "Content-Length: 1000\r\n\r\nbody"),
        )
        for number, (head, body) in enumerate(asking, 1):
            _, writer = await asyncio.open_connection(*address)
            writer.write(f"{head} HTTP/1.1\r\nHost: localhost\r\n{body}".encode())
            await until(partial(lambda expected: asked == expected, number))
            await until(lambda: len(here.neighbours._held) == 1)
            writer.transport.abort()
            await until(lambda: not here.neighbours._held)
            await until(partial(lambda expected: left == expected, number))
