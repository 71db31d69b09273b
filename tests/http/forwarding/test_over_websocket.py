"""streamer.http.forwarding.over_websocket: a clean video that another replica has, and both ends of it going."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType, web

from streamer.control.seats import SeatLimits
from streamer.http.forwarding import over_websocket
from streamer.http.viewer_way import BURST, MOST_SAID
from streamer.stream.pipeline import Pipeline
from tests.http.replicas import Map, Two, run_owner, run_replica, run_two
from tests.peers.until import until
from tests.view.clean.peers import coded

VIDEO = "/api/streams/b/video"


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Give two replicas, of whose stream b there is a picture."""
    async with run_two() as two:
        pipeline_of(two).clean.put(coded(0, key=True, data=b"x" * 10))
        yield two


def pipeline_of(two: Two) -> Pipeline:
    """The stream b, where it runs."""
    pipeline = two.there.service.streams.get("b")
    assert pipeline is not None
    return pipeline


@asynccontextmanager
async def watch(two: Two, query: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
    """A viewer of b, at the replica that does not run it."""
    async with two.here.client.ws_connect(f"{two.here.url}{VIDEO}{query}", autoping=False) as way:
        yield way


async def refused(two: Two, query: str = "") -> tuple[int, str | None]:
    """With which status one is, and when he may come again."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with watch(two, query):
            pass
    assert refusal.value.headers is not None
    return refusal.value.status, refusal.value.headers.get("Retry-After")


async def test_the_video_comes_through_whole_and_in_order(two: Two) -> None:
    """What its owner sends arrives as it was sent: the greeting as text, a group of pictures, and each picture."""
    async with watch(two) as way:
        first = await way.receive()
        assert (first.type, json.loads(first.data)["type"]) == (WSMsgType.TEXT, "hello")
        before = [await way.receive() for _ in range(3)]
        assert before[-1].type is WSMsgType.BINARY
        for count in range(1, 40):
            pipeline_of(two).clean.put(coded(count, key=False, data=bytes([count]) * 100_000))
            message = await way.receive()
            assert message.type is WSMsgType.BINARY
            assert bytes([count]) * 100_000 in message.data


async def test_a_handshake_goes_on_without_content(two: Two) -> None:
    """What is said of one, as by who sends a body with it, would have the owner wait for what never comes."""
    seen = list[str]()

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        seen.extend(request.headers)
        return web.Response(status=503)

    async with run_owner(owner) as url:
        two.map.urls["there"] = url
        asked = {"Content-Length": "0", "Content-Type": "text/plain", "Content-Encoding": "gzip", "Accept": "x/y"}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with two.here.client.ws_connect(f"{two.here.url}{VIDEO}", headers=asked):
                pass
    assert "Accept" in seen
    assert not [name for name in seen if name.startswith("Content-")]


async def test_what_a_viewer_says_arrives(two: Two) -> None:
    """That nothing is to be sent for now, and that he sees it small; with his query, too."""
    async with watch(two, "?size=large") as way:
        await way.receive()
        clean = pipeline_of(two).clean
        await until(lambda: clean.viewers == 1)
        await way.send_str('{"pause": true}')
        await until(lambda: not clean.watched)
        await way.send_str('{"pause": false}')
        await until(lambda: clean.watched)


async def test_a_refusal_comes_with_its_status(two: Two) -> None:
    """No place free is 503 with when to come back; a size that is none is 400; a stream that moves is 503."""
    assert await refused(two, "?size=huge") == (400, None)
    two.there.service.streams.seats.limits = SeatLimits(0, 0, 0)
    assert await refused(two) == (503, "5")
    two.map.owners["b"] = None
    assert await refused(two) == (503, "1")


async def test_a_viewer_who_leaves_is_gone_at_the_owner(two: Two) -> None:
    """With a good-bye, which is answered, and without one."""
    clean = pipeline_of(two).clean
    async with watch(two) as way:
        await until(lambda: clean.viewers == 1)
        await way.close()
        assert way.close_code == WSCloseCode.OK
    await until(lambda: clean.viewers == 0)
    async with watch(two) as way:
        await until(lambda: clean.viewers == 1)
        way._conn.transport.abort()  # type: ignore[union-attr]
        await until(lambda: clean.viewers == 0)


async def test_an_owner_that_goes_says_so(two: Two) -> None:
    """Its stream is removed there: the viewer hears that it goes away, as he would from the owner, and may ask anew."""
    async with watch(two) as way:
        await way.receive()
        await two.there.service.streams.remove("b")
        while (message := await way.receive()).type is not WSMsgType.CLOSE:
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        assert message.data == WSCloseCode.GOING_AWAY


async def test_a_stream_that_moves_takes_its_viewers_from_the_old_owner(two: Two) -> None:
    """An owner that says nothing, since it is stopped or cut off, is not waited for once another has its stream."""
    async with watch(two) as way:
        await way.receive()
        two.map.owners["b"] = None
        while (message := await way.receive()).type is not WSMsgType.CLOSE:
            pass
        assert message.data == WSCloseCode.GOING_AWAY
    await until(lambda: pipeline_of(two).clean.viewers == 0)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["x" * (MOST_SAID + 1)], WSCloseCode.MESSAGE_TOO_BIG),
        (["x" * (1 << 20)], WSCloseCode.MESSAGE_TOO_BIG),
        ([b"bytes"], WSCloseCode.POLICY_VIOLATION),
        (['{"pause": true}'] * (BURST + 2), WSCloseCode.POLICY_VIOLATION),
        (["no JSON"], WSCloseCode.POLICY_VIOLATION),
    ],
)
async def test_a_viewer_who_says_too_much_is_shown_out(two: Two, said: list[str | bytes], code: int) -> None:
    """By the same codes as at the owner; and nothing of it is held, or passed on beyond what a viewer may say."""
    async with watch(two) as way:
        await way.receive()
        for each in said:
            await (way.send_bytes(each) if isinstance(each, bytes) else way.send_str(each))
        while (message := await way.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            pass
        assert message.data == code
    await until(lambda: pipeline_of(two).clean.viewers == 0)


async def test_pings_are_answered_where_one_asks(two: Two) -> None:
    """As many as may be."""
    async with watch(two) as way:
        await way.ping(b"1")
        while (message := await way.receive()).type is not WSMsgType.PONG:
            pass
        assert message.data == b"1"


# ---- owners that mean no good


async def test_a_message_beyond_the_limit_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner that sends one larger than any picture is left, and its viewer is told to ask anew."""
    monkeypatch.setattr(over_websocket, "LARGEST", 1 << 20)

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        way = web.WebSocketResponse()
        await way.prepare(request)
        await way.send_bytes(b"x" * 1000)
        await way.send_bytes(b"x" * ((1 << 20) + 1))
        await way.receive()
        return way

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"] = url
        async with here.client.ws_connect(f"{here.url}{VIDEO}") as way:
            assert len((await way.receive()).data) == 1000
            assert (await way.receive()).type is WSMsgType.CLOSE
            assert way.close_code == WSCloseCode.GOING_AWAY


async def test_an_owner_that_says_nothing_any_more_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is cut off from us alone, by whose claim the stream is its own still: its viewer is told to ask anew."""
    monkeypatch.setattr(over_websocket, "SILENT", 0.2)

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        way = web.WebSocketResponse(autoping=False)
        await way.prepare(request)
        await asyncio.sleep(3600)
        return way

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"] = url
        async with here.client.ws_connect(f"{here.url}{VIDEO}") as way:
            assert (await way.receive(timeout=20)).type is WSMsgType.CLOSE
            assert way.close_code == WSCloseCode.GOING_AWAY


async def test_no_more_is_held_for_a_slow_viewer_than_buffers_hold() -> None:
    """An owner is held up by who takes nothing, as if he were its own; so that it leaves pictures out."""
    sent = 0

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        way = web.WebSocketResponse()
        await way.prepare(request)
        while True:
            await way.send_bytes(b"x" * (64 << 10))
            sent += 64 << 10

    said, seen = Map({"b": "there"}), list[int]()

    def stands_still() -> bool:
        seen.append(sent)
        return sent > 64 << 20 or (sent > 0 and len(seen) > 100 and seen[-100] == sent)

    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"] = url
        async with here.client.ws_connect(f"{here.url}{VIDEO}") as way:
            way._reader._protocol.pause_reading()
            await until(stands_still)
            assert sent <= 64 << 20
            way._conn.transport.abort()  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [200, 302, 500])
async def test_an_owner_that_speaks_no_websocket_is_said_to(status: int) -> None:
    """It is 502, or what it answers; never a fault of ours."""

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"] = url
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with here.client.ws_connect(f"{here.url}{VIDEO}"):
                pass
        assert refusal.value.status == (status if status >= 400 else 502)


async def test_both_may_go_at_once(two: Two) -> None:
    """Viewers that leave while their stream ends leave nothing behind."""
    clean = pipeline_of(two).clean
    async with AsyncExitStack() as watched:
        ways = [await watched.enter_async_context(watch(two)) for _ in range(5)]
        await until(lambda: clean.viewers == 5)
        await asyncio.gather(two.there.service.streams.remove("b"), *(way.close() for way in ways))
    await until(lambda: not two.here.neighbours._held)
