"""Every refusal is a sentence in the form of RFC 9457, problem details; and so is every fault of our own."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from typing_extensions import TypedDict

from streamer.http.shortage import Shortage, is_shortage
from streamer.values.errors import Overloaded, Refused

log = logging.getLogger(__name__)

SHORTAGE: web.AppKey[Shortage] = web.AppKey("shortage", Shortage)

PROBLEM = "application/problem+json"


class Problem(TypedDict):
    """A refusal (RFC 9457)."""

    title: str
    """HTTP's own word for the status."""
    status: int
    detail: str
    """What is wrong, in a sentence for people."""


UNFORESEEN = "something failed here that nobody foresaw; the service's log has the details"


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer with a problem where a handler raises one: what a client is to blame for is 4xx, our own fault is 500."""
    try:
        return await handler(request)
    except Overloaded as error:
        return problem(503, str(error), {"Retry-After": str(error.retry_after)})
    except Refused as error:
        hint = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}  # RFC 6750 section 3
        return problem(error.status, str(error), hint | error.headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
        return problem(error.status, _sentence(error), headers)
    except Exception as error:  # noqa: BLE001  the last to see it; it is logged
        return _unforeseen(request, error)


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """A refusal."""
    body: Problem = {"title": web.Response(status=status).reason, "status": status, "detail": sentence}
    return web.json_response(body, status=status, headers=headers, content_type=PROBLEM)


def _unforeseen(request: web.Request, error: Exception) -> web.Response:
    """Our own fault: said in the log, once, and owned up to; unless it is that the client has left."""
    transport = request.transport
    if is_shortage(error):
        request.app[SHORTAGE].met(error)
        return problem(503, "the service is out of descriptors", {"Retry-After": "5"})
    if isinstance(error, ConnectionError) and (transport is None or transport.is_closing()):
        return web.Response()  # which nobody gets
    resource = request.match_info.route.resource  # not the path: a session's is a secret
    where = "nothing known" if resource is None else resource.canonical
    log.error("%s %s failed in a way nobody foresaw", request.method, where, exc_info=error)
    if request.writer.output_size > 0 and transport is not None:
        transport.abort()  # the answer had begun; another behind it would be taken for its rest
    return problem(500, UNFORESEEN)


def _sentence(error: web.HTTPException) -> str:
    """What aiohttp raises, in words that say what to do."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} is not possible here; allowed are {', '.join(sorted(error.allowed_methods))}"
    if error.text == f"{error.status}: {error.reason}":  # it was raised without words
        return "there is nothing at this path" if error.status == 404 else error.reason
    return error.text or error.reason
