"""JSON in and out of the routes of access, by the models in `bodies/`."""

from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web

from streamer.http.bodies.body import MAX_BYTES, Body, read
from streamer.http.body import JSON, read_body
from streamer.values.errors import Refused

B = TypeVar("B", bound=Body)

FITS = {422: "a key of the body is not there, is unknown, or is not what it must be"}
KEPT = {503: "it cannot be kept for the next start, and nothing was changed"}
KEPT_AND_HASHED = {503: "too many passwords wait to be compared, or it cannot be kept and nothing was changed"}
"""What routes may answer."""


async def body_of(request: web.Request, model: type[B]) -> B:
    """What a request carries.

    Raises:
        Refused: 415 it is of another type than JSON, and any page may have a browser send those without asking first;
            413 it is too large; 400 and 422 as `read`.
    """
    if request.content_type != JSON:
        raise Refused(415, f"the body must be {JSON}, not {request.content_type}")
    if request.content_length is not None and request.content_length > MAX_BYTES:
        raise _too_large()
    try:
        text = await read_body(request)
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    if len(text) > MAX_BYTES:
        raise _too_large()
    return read(model, text)


def answer(body: Body, status: int = 200) -> web.Response:
    """One body."""
    return _json(body.model_dump_json(), status)


def answer_list(bodies: Iterable[Body]) -> web.Response:
    """A list of them."""
    return _json(f"[{','.join(body.model_dump_json() for body in bodies)}]", 200)


def _json(text: str, status: int) -> web.Response:
    # Whose it is depends on who asks: nothing on the way keeps it.
    return web.Response(text=text, status=status, content_type=JSON, headers={"Cache-Control": "no-store"})


def _too_large() -> Refused:
    return Refused(413, f"the body is larger than {MAX_BYTES // 1024} KiB")
