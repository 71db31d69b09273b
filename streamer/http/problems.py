"""Every refusal is a sentence in the form of RFC 9457, problem details."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from streamer.values.errors import Overloaded, Refused


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer with a problem where a handler raises one."""
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


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """A refusal."""
    body = {"title": web.Response(status=status).reason, "status": status, "detail": sentence}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


def _sentence(error: web.HTTPException) -> str:
    """What aiohttp raises, in words that say what to do."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} is not possible here; allowed are {', '.join(sorted(error.allowed_methods))}"
    if error.text == f"{error.status}: {error.reason}":  # it was raised without words
        return "there is nothing at this path" if error.status == 404 else error.reason
    return error.text or error.reason
