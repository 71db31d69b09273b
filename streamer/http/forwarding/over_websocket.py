"""A clean video that is passed on: messages as they come, from its owner to a viewer, and the few words he says.

For a viewer who takes nothing nothing more is read; the owner sees that as it does with its own, and leaves pictures
out.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from streamer.http.feeds import GONE, HEARTBEAT
from streamer.http.forwarding import passed
from streamer.http.forwarding.passed import FAILED, Passing
from streamer.http.viewer_way import hear, limit_unsent, part, viewer_way
from streamer.values.errors import Refused

LARGEST = 16 << 20
"""Bytes of one message: a picture with its head; the owner holds 8 MiB of them at the most."""
SILENT = HEARTBEAT
"""Seconds without a byte after which an owner is asked whether it is there; it may be cut off from us alone."""
PASSED_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""Codes that may be sent (RFC 6455 section 7.4)."""

Owner = aiohttp.ClientWebSocketResponse[bool]


async def pass_video(
    request: web.Request, passing: Passing, lasting: AbstractAsyncContextManager[None]
) -> web.StreamResponse:
    """Bring a viewer and the owner together, until one of them goes. The arguments are those of `pass_http`.

    Raises:
        Overloaded: the replica does not answer, or has no place free.
        Refused: the replica refuses it; 426 it is no WebSocket; 502 it answers what is none.
    """
    way, connection = viewer_way(request)
    code: int = WSCloseCode.GOING_AWAY
    with contextlib.suppress(*GONE):
        async with lasting, contextlib.AsyncExitStack() as asked:
            owner = await _opened(request, passing, asked)
            await way.prepare(request)
            limit_unsent(way)
            code = await _between(way, owner)
    if not way.prepared:
        raise passing.away()
    await part(way, connection, code)
    return way


async def _opened(request: web.Request, passing: Passing, asked: contextlib.AsyncExitStack) -> Owner:
    watching = passing.neighbours.watch_video(
        passing.replica, passing.target, passing.caller, request.headers, largest=LARGEST, silent=SILENT
    )
    try:
        async with asyncio.timeout(passed.PATIENCE):
            return await asked.enter_async_context(watching)
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(passing, error) from None
    except FAILED as error:
        raise passing.refusal(error) from None


def _refusal(passing: Passing, error: aiohttp.WSServerHandshakeError) -> Exception:
    said: Mapping[str, str] = error.headers or {}
    passing.require_believed(said)
    if error.status < 400:
        return Refused(502, f"the replica {passing.replica.name} speaks no WebSocket")
    kept = {name: said[name] for name in ("Retry-After", "Upgrade") if name in said}
    return Refused(error.status, f"the replica {passing.replica.name} answers {error.status} to this", kept)


async def _between(way: web.WebSocketResponse, owner: Owner) -> int:
    """Pass on what both say; gives the code to part with."""

    async def tell(said: str) -> bool:
        await owner.send_str(said)
        return True

    ways = [asyncio.create_task(hear(way, tell)), asyncio.create_task(_shown(owner, way))]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for each in ways:
            each.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _shown(owner: Owner, way: web.WebSocketResponse) -> int:
    """What the owner sends, at the pace of who watches."""
    while True:
        message = await owner.receive()
        if message.type is WSMsgType.BINARY:
            await way.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await way.send_str(message.data)
        else:
            code = owner.close_code or WSCloseCode.GOING_AWAY
            return code if message.type is WSMsgType.CLOSE and code in PASSED_CODES else WSCloseCode.GOING_AWAY
