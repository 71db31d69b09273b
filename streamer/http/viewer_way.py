"""The way to a viewer of clean video: a WebSocket (RFC 6455), the same whether his stream runs here or elsewhere.

Down it goes what `view.clean` makes; up come a word or two, of which he may say so many.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from streamer.http.allowance import Allowance
from streamer.http.connection import Connection, connection_of
from streamer.http.feeds import HEARTBEAT
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


def viewer_way(request: web.Request) -> tuple[web.WebSocketResponse, Connection]:
    """Make one of what was asked, and what it came by; nothing is said yet.

    Raises:
        Refused: 426 it is no WebSocket.
    """
    # Its heartbeat finds viewers that are gone without a word. Pings are answered by `hear`, as many as may be.
    way = web.WebSocketResponse(
        timeout=FAREWELL, heartbeat=HEARTBEAT, autoping=False, autoclose=False, max_msg_size=MOST_SAID, compress=False
    )
    connection = connection_of(request)
    if connection is None or not way.can_prepare(request):
        raise Refused(426, "this is a WebSocket of version 13 (RFC 6455)", {"Upgrade": "websocket"})
    return way, connection


async def hear(way: web.WebSocketResponse, take: Callable[[str], Awaitable[bool]]) -> int:
    """Hear a viewer until he leaves, or says too much; gives the code to part with (RFC 6455 section 7.4.1).

    Args:
        way: to him.
        take: given each text that he says, and waited for; gives whether that may be said.
    """
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
            may_be = message.type is WSMsgType.TEXT and await take(message.data)
            if not may_be:
                return WSCloseCode.POLICY_VIOLATION


async def part(way: web.WebSocketResponse, connection: Connection, code: int) -> None:
    """Say good-bye, to who takes it."""
    try:
        async with asyncio.timeout(2 * FAREWELL):
            if way.prepared:
                await way.close(code=code)
    except TimeoutError:
        connection.abort()


def limit_unsent(way: web.WebSocketResponse) -> None:
    """Have little wait for who is slow, where the system can."""
    found, option = way.get_extra_info("socket"), getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if found is not None and option is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.IPPROTO_TCP, option, UNSENT)
