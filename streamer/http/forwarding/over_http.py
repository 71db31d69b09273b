"""A request and its answer, both passed on as they come: of neither is more held than a connection's buffers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import aiohttp
from aiohttp import web

from streamer.http.connection import connection_of
from streamer.http.feeds import GONE
from streamer.http.forwarding import passed
from streamer.http.forwarding.headers import passed_back
from streamer.http.forwarding.passed import FAILED, Passing

QUIET = 30.0
"""Seconds without a byte of an answer. Of events a comment comes every 15 s, unless their owner is cut off from us."""
ENDLESS = ("multipart/x-mixed-replace",)
"""What may be silent for as long as its camera is."""


async def pass_http(
    request: web.Request, passing: Passing, lasting: AbstractAsyncContextManager[None]
) -> web.StreamResponse:
    """Ask, and send what is answered.

    Args:
        request: of whoever asks us.
        passing: what goes where.
        lasting: TimeoutError is raised in it where it is not to go on.

    Raises:
        Overloaded: the replica does not answer.
        Refused: 502, it answers what is none.
    """
    try:
        async with lasting:
            return await _passed(request, passing)
    except TimeoutError:
        if request.writer.output_size == 0:
            raise passing.away() from None
        return _broken_off(request)


async def _passed(request: web.Request, passing: Passing) -> web.StreamResponse:
    body = request.content if request.can_read_body else None
    async with contextlib.AsyncExitStack() as asked:
        try:
            async with asyncio.timeout(passed.PATIENCE):
                answer = await asked.enter_async_context(_asked(request, passing, body))
        except FAILED as error:
            raise passing.refusal(error) from None
        passing.require_believed(answer.headers)
        if answer.status < 200:  # of a protocol that nobody asked for
            raise passing.refusal(ValueError(answer.status))
        response = web.StreamResponse(
            status=answer.status, reason=answer.reason, headers=passed_back(answer.headers.copy())
        )
        with contextlib.suppress(*GONE):
            await response.prepare(request)
            if not await _copied(answer, response):
                return _broken_off(request)
    return response


@contextlib.asynccontextmanager
async def _asked(
    request: web.Request, passing: Passing, body: aiohttp.StreamReader | None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer's head, and its body to be read. Whoever does not send his own body makes nobody else wait."""
    connection = connection_of(request)
    asking = passing.neighbours.ask(
        passing.replica, request.method, passing.target, passing.caller, headers=request.headers, body=body
    )
    waits = body is not None and connection is not None
    async with contextlib.AsyncExitStack() as asked:
        with connection.reading() if waits and connection is not None else contextlib.nullcontext():
            answer = await asked.enter_async_context(asking)
        yield answer


async def _copied(answer: aiohttp.ClientResponse, response: web.StreamResponse) -> bool:
    """Send the body as far as it comes; gives whether that is all of it.

    Raises:
        ConnectionResetError: whoever asks has left.
    """
    quiet = None if answer.content_type in ENDLESS else QUIET
    while True:
        try:
            async with asyncio.timeout(quiet):
                piece = await answer.content.readany()
        except FAILED:
            return False
        if not piece:
            break
        await response.write(piece)
    await response.write_eof()
    return True


def _broken_off(request: web.Request) -> web.StreamResponse:
    """What was begun must not look like the whole."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # which nobody gets
