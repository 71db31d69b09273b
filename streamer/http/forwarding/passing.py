"""What is about a stream that runs elsewhere, passed on to the replica that runs it: once, and never on from there."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from streamer.access.action import Action
from streamer.access.caller import Caller, about
from streamer.http.callers import target_of
from streamer.http.feeds import endless
from streamer.http.forwarding.neighbours import NEIGHBOURS, Neighbours
from streamer.http.forwarding.over_http import pass_http
from streamer.http.forwarding.over_websocket import pass_video
from streamer.http.forwarding.passed import AGAIN, Passing
from streamer.http.forwarding.passed_sessions import PASSED_SESSIONS
from streamer.http.keys import STREAMS, prefix_of
from streamer.http.needs import PASSED, PRINCIPAL, need_of
from streamer.http.video import video
from streamer.values.errors import Overloaded
from streamer.values.replica import Replica


@web.middleware
async def pass_on(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer here what is here; have the rest answered where it is.

    Raises:
        Overloaded: the stream is on its way from one replica to another.
    """
    need = need_of(request.match_info.handler)
    if need is None or need.stream is None or not need.at_owner:
        return await handler(request)
    name = request.match_info[need.stream]
    if request.app[STREAMS].is_taken(name):
        return await handler(request)
    whereabouts = request.app[NEIGHBOURS].whereabouts
    if PASSED in request:
        raise Overloaded(f"the replica {whereabouts.me} does not run {name!r}; it has just moved", AGAIN)
    replica = whereabouts.of(name)
    if replica is not None:
        return await pass_to(request, replica)
    if whereabouts.is_shared(name) and need.action is not Action.PUBLISH:  # what is pushed begins where it arrives
        raise Overloaded(f"no replica runs {name!r} at this moment; one takes it within seconds", AGAIN)
    return await handler(request)


async def pass_to(request: web.Request, replica: Replica, stream: str | None = None) -> web.StreamResponse:
    """Have a request answered by another replica: as `elsewhere.Elsewhere`.

    Raises:
        Overloaded: it does not answer, or this was passed on already.
        Refused: 502, what it says is no answer.
    """
    neighbours, need = request.app[NEIGHBOURS], need_of(request.match_info.handler)
    if PASSED in request:
        raise Overloaded(f"the replica {neighbours.whereabouts.me} has not got this itself", AGAIN)
    named = None if need is None or need.stream is None else request.match_info[need.stream]
    stream = stream or named
    principal = request[PRINCIPAL]
    caller = Caller(principal if stream is None else about(principal, stream), request.remote or "", prefix_of(request))
    # Whoever asks may offer another protocol, such as h2c (RFC 9110 section 7.8): that route alone takes it up.
    is_taken_up = request.match_info.handler is video and "Upgrade" in request.headers
    way = pass_video if is_taken_up else pass_http
    passing = Passing(neighbours, replica, target_of(request), caller, what=stream or "it")
    lives_there = need is not None and need.at_owner
    if lives_there:
        request.app[PASSED_SESSIONS].require_room(request)
    response = await way(request, passing, _lasting(request, neighbours, replica, stream, lives_there=lives_there))
    if stream is not None and lives_there:
        request.app[PASSED_SESSIONS].note(request, response, passing)
    return response


@contextlib.asynccontextmanager
async def _lasting(
    request: web.Request, neighbours: Neighbours, replica: Replica, stream: str | None, *, lives_there: bool
) -> AsyncIterator[None]:
    """For as long as who asks may, and the replica has it: TimeoutError is raised in it soon after."""
    whereabouts, need = neighbours.whereabouts, need_of(request.match_info.handler)

    def holds() -> bool:
        if lives_there and stream is not None:
            return whereabouts.of(stream) == replica
        return replica in whereabouts.others()

    async with contextlib.AsyncExitStack() as lasts:
        await lasts.enter_async_context(neighbours.holding(holds))
        if need is not None and need.action is Action.VIEW:
            await lasts.enter_async_context(endless(request, stream, outlives_stream=True))
        yield
