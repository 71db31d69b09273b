"""`/api/streams/{name}/video`: the camera's own pictures, and beside them where everything is. docs/api.md.

A WebSocket (RFC 6455). What is sent is made and written by `view.clean`; what a viewer says is a word or two.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import WSCloseCode, WSMsgType, web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.allowance import Allowance
from streamer.http.connection import Connection, connection_of
from streamer.http.feeds import FULL, GONE, HEARTBEAT, endless
from streamer.http.keys import STREAMS, pipeline_of
from streamer.http.needs import needs
from streamer.http.operation import Answer, described
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import monotonic
from streamer.values.errors import Refused

MOST_SAID = 256
"""Bytes of one message of a viewer's."""
BURST, PER_SECOND = 10, 1.0
"""Messages a viewer may send at once, and a second in the long run: pings are among them."""
FAREWELL = 1.0
"""Seconds a viewer has to say good-bye."""
UNSENT = 128 << 10
"""Bytes that wait in the kernel: more would be pictures that nobody can leave out any more, of a slow viewer."""

routes = web.RouteTableDef()

SIZES = ("large", "small")


class VideoQuery(TypedDict, total=False):
    """What a viewer may say as he comes."""

    size: Literal["large", "small"]
    """How he sees it; `small`: the camera's smaller video will do. The large one is sent where there is no other."""


UPGRADED = Answer(means="messages follow as docs/api.md has them", headers=("Upgrade", "Sec-WebSocket-Accept"))
NO_UPGRADE = Answer(means="it was not asked for as a WebSocket", headers=("Upgrade",))


@routes.get("/api/streams/{name}/video", allow_head=False)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({101: UPGRADED, 400: "a size that is none", 426: NO_UPGRADE, 503: FULL}, query=VideoQuery)
async def video(request: web.Request) -> web.StreamResponse:
    """The camera's own pictures, and where everything is in them, by WebSocket."""
    pipeline = pipeline_of(request)
    small = _asks_for_small(request)
    # Its heartbeat finds viewers that are gone without a word. Pings are answered below, as many as may be.
    way = web.WebSocketResponse(
        timeout=FAREWELL,
        heartbeat=HEARTBEAT,
        autoping=False,
        autoclose=False,
        max_msg_size=MOST_SAID,
        compress=False,
    )
    connection = connection_of(request)
    if connection is None or not way.can_prepare(request):
        raise Refused(426, "this is a WebSocket of version 13 (RFC 6455)", {"Upgrade": "websocket"})
    with request.app[STREAMS].seats.seated(pipeline.name, request.remote or ""):
        code: int = WSCloseCode.GOING_AWAY
        with contextlib.suppress(*GONE):
            async with endless(request, pipeline.name):
                await way.prepare(request)
                code = await _attend(way, connection, pipeline, small=small)
        await part(way, connection, code)
    return way


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer says. None: nothing of that."""

    pause: bool | None = None
    """Whether nothing is to be sent for now."""
    small: bool | None = None
    """Whether he sees it small, and the camera's smaller video will do."""


async def _attend(way: web.WebSocketResponse, connection: Connection, pipeline: Pipeline, *, small: bool) -> int:
    """Serve a viewer until he leaves; gives the code to part with (RFC 6455 section 7.4.1)."""
    limit_unsent(way)
    sizes = pipeline.sizes
    viewer = sizes.join(_Wire(connection), pipeline.state(), small=small)
    connection.on_room = viewer.flush

    def obey(wish: Wish) -> None:
        if wish.small is not None:
            sizes.wish(viewer, small=wish.small)
        if wish.pause is not None:
            sizes.let_pause(viewer, pause=wish.pause)

    try:
        return await _listen(way, obey)
    finally:
        connection.on_room = None
        sizes.leave(viewer)


async def _listen(way: web.WebSocketResponse, obey: Callable[[Wish], None]) -> int:
    """Do as he says, until he leaves or says too much."""
    allowance = Allowance(BURST, PER_SECOND, monotonic())
    while True:
        message = await way.receive()
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            return WSCloseCode.OK
        if message.type is WSMsgType.ERROR:
            return way.close_code or WSCloseCode.PROTOCOL_ERROR
        if not allowance.take(monotonic()):
            return WSCloseCode.POLICY_VIOLATION
        if message.type is WSMsgType.PING:
            await way.pong(message.data)
        elif message.type is not WSMsgType.PONG:
            wish = read_wish(message.data)
            if wish is None:
                return WSCloseCode.POLICY_VIOLATION
            obey(wish)


def read_wish(said: object) -> Wish | None:
    """What a viewer wants from now on; None: that is not what he says."""
    try:
        wish = json.loads(said) if isinstance(said, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(wish, dict):
        return None
    pause, size = wish.get("pause"), wish.get("size")
    if not isinstance(pause, bool | None) or size not in (None, *SIZES) or pause is size is None:
        return None
    return Wish(pause, None if size is None else size == "small")


def _asks_for_small(request: web.Request) -> bool:
    size = request.query.get("size", "large")
    if size not in SIZES:
        raise Refused(400, f"size: {size[:20]!r} is not allowed; allowed are large and small")
    return size == "small"


async def part(way: web.WebSocketResponse, connection: Connection, code: int) -> None:
    """Say good-bye, to who takes it."""
    try:
        async with asyncio.timeout(2 * FAREWELL):
            if way.prepared:
                await way.close(code=code)
    except TimeoutError:
        connection.abort()


def limit_unsent(way: web.WebSocketResponse) -> None:
    """Where the system can."""
    found, option = way.get_extra_info("socket"), getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if found is not None and option is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.IPPROTO_TCP, option, UNSENT)


@dataclass(frozen=True, slots=True)
class _Wire:
    """The way to a viewer: whole messages go past aiohttp's writer, which would make each one anew for everybody."""

    connection: Connection

    @property
    def is_full(self) -> bool:
        return self.connection.is_full

    def write(self, data: bytes) -> None:
        transport = self.connection.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)
