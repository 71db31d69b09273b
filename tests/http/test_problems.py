"""streamer.http.problems: whoever is to blame, the answer is a sentence."""

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient, TestServer

from streamer.http.problems import SHORTAGE, UNFORESEEN, problems
from streamer.http.shortage import Shortage
from streamer.values.clock import monotonic
from streamer.values.errors import ConfigError, Overloaded, Refused

routes = web.RouteTableDef()

RAISED: dict[str, Exception] = {
    "bug": ZeroDivisionError("a secret"),
    "late": TimeoutError(),
    "network": ConnectionRefusedError("of another server"),
    "ours": ConfigError("a sentence for somebody else"),
    "refused": Refused(409, "it is taken", {"Retry-After": "5"}),
    "full": Overloaded("no place is free", 7),
    "short": OSError(errno.EMFILE, "Too many open files"),
}


@routes.get("/raises/{what}")
async def fails(request: web.Request) -> web.StreamResponse:
    """Raise what is asked for."""
    raise RAISED[request.match_info["what"]]


@routes.get("/begun/{written}")
async def fails_midway(request: web.Request) -> web.StreamResponse:
    """Begin an answer without an end, and fail."""
    response = web.StreamResponse()
    await response.prepare(request)
    if request.match_info["written"] == "written":
        await response.write(b"the beginning")
    raise ZeroDivisionError


left = asyncio.Event()


@routes.get("/goes")
async def goes_on(request: web.Request) -> web.StreamResponse:
    """Write for as long as anybody reads."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"more")
            await asyncio.sleep(0)
    finally:
        left.set()


@pytest.fixture
async def client() -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    """Give a client of a server with those routes."""
    app = web.Application(middlewares=[problems])
    app[SHORTAGE] = Shortage(monotonic)
    app.add_routes(routes)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("what", ["bug", "late", "network", "ours"])
async def test_a_fault_of_our_own_is_a_500_in_one_sentence_and_logged_once(
    client: "TestClient[web.Request, web.Application]", what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a handler did not foresee: a problem document says no more than that, the log says everything, once."""
    answer = await client.get(f"/raises/{what}")
    assert answer.content_type == "application/problem+json"
    assert await answer.json() == {"title": "Internal Server Error", "status": 500, "detail": UNFORESEEN}
    assert answer.status == 500
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "GET /raises/{what}" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is RAISED[what]


@pytest.mark.parametrize(("what", "status", "after"), [("refused", 409, "5"), ("full", 503, "7")])
async def test_what_a_client_can_mend_is_said_and_not_logged(
    client: "TestClient[web.Request, web.Application]",
    what: str,
    status: int,
    after: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A refusal has its own status, sentence and headers, and is no news for the log."""
    answer = await client.get(f"/raises/{what}")
    assert (answer.status, answer.headers["Retry-After"]) == (status, after)
    assert (await answer.json())["detail"] == str(RAISED[what])
    assert caplog.records == []


@pytest.mark.parametrize("written", ["written", "prepared"])
async def test_an_answer_that_breaks_off_is_not_followed_by_another(
    client: "TestClient[web.Request, web.Application]", written: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault after an answer's beginning ends the connection, so that nobody takes a second answer for its rest."""
    status, body = 0, b""
    with contextlib.suppress(ClientError):
        answer = await client.get(f"/begun/{written}")
        status, body = answer.status, await answer.read()
    assert b"HTTP/1.1" not in body
    assert b"nobody foresaw" not in body or status == 500
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


async def test_a_client_that_leaves_is_no_fault(
    client: "TestClient[web.Request, web.Application]", caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be written because its reader is gone is not spoken of."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /goes HTTP/1.1\r\nHost: h\r\n\r\n")
    await reader.readline()
    writer.transport.abort()
    async with asyncio.timeout(10):
        await left.wait()
    await client.close()
    assert caplog.records == []


async def test_want_of_descriptors_is_no_fault_of_the_code(
    client: "TestClient[web.Request, web.Application]", caplog: pytest.LogCaptureFixture
) -> None:
    """What finds no descriptor is 503, to be asked for again, and one line in the log."""
    answer = await client.get("/raises/short")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert [record.exc_info for record in caplog.records] == [None]
