"""Requests that another replica of the cluster passes on: for whom it asks is in one signed header, and nowhere else.

The replica that he asked has looked at the host's name, the page's origin, and what he shows.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from streamer.access.caller import CALLER, Question, checked, unknown_here
from streamer.http.connection import connection_of
from streamer.http.keys import PROXIES
from streamer.http.needs import PASSED
from streamer.values.clock import Clock
from streamer.values.errors import Refused


@dataclass(frozen=True, slots=True)
class Callers:
    """How they are known."""

    me: str
    """Our replica's name."""
    key: bytes
    wall: Clock
    """UTC, seconds since 1970."""


CALLERS: web.AppKey[Callers] = web.AppKey("callers", Callers)
"""Not there: there is no cluster, and nobody is believed."""


@web.middleware
async def as_passed_on(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Whom another replica asks for has a name and an address of his own.

    Raises:
        Refused: 401, what is said of him is not believed. He is nobody else then.
    """
    if CALLER not in request.headers:
        return await handler(request)
    callers = request.app.get(CALLERS)
    if callers is None:
        raise unknown_here()
    said = request.headers.getall(CALLER)
    if len(said) > 1:
        raise Refused(401, f"there are {len(said)} lines {CALLER}", {CALLER: "refused"})
    question = Question(callers.me, request.method, target_of(request))
    caller = checked(said[0], question, callers.key, callers.wall())
    request[PASSED] = caller
    connection = connection_of(request)
    if connection is not None:
        connection.is_of_a_replica()
    return await handler(request.clone(remote=caller.address))


def target_of(request: web.Request) -> str:
    """Path and query as they were sent, from our root on: each route stands there, and below the folder we are in."""
    target, base, resource = (
        request.rel_url.raw_path_qs,
        request.app[PROXIES].base_path,
        request.match_info.route.resource,
    )
    if not base or resource is None or not target.startswith(f"{base}/"):
        return target
    below = resource.canonical.removeprefix(base)  # "/api" may be such a folder, too, and then is none of it
    is_below = any(each.canonical == below for each in request.app.router.resources())
    return target.removeprefix(base) if is_below else target
