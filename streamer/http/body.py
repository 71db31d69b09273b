"""What a request carries: text, or the settings of a stream as a JSON mapping; in its time."""

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import web

from streamer.http.connection import connection_of
from streamer.values.errors import Refused
from streamer.values.nesting import goes_deeper

JSON = "application/json"
BODY_TIMEOUT = 30.0
"""Seconds from a request's headers to the end of its body."""


async def read_body(request: web.Request) -> bytes:
    """All of it.

    Raises:
        Refused: 408 it does not come, 400 its form is broken.
        web.HTTPRequestEntityTooLarge: it is longer than the application takes.
    """
    connection = connection_of(request)
    with contextlib.nullcontext() if connection is None else connection.reading():
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                return await request.read()
        except TimeoutError:
            raise Refused(408, f"the body did not come within {BODY_TIMEOUT:.0f} s") from None
        except web.RequestPayloadError:
            raise Refused(400, "the body is not of the form its headers say") from None


async def settings_of(request: web.Request, *types: str) -> dict[str, Any]:
    """The JSON mapping a request carries.

    Args:
        request: its body is read; longer than the application takes is 413.
        types: media types it may be of. Others are refused, because a browser sends those for any page without asking
            first (Fetch standard, CORS).

    Raises:
        Refused: 415 it is of another type, 400 it is no JSON mapping, 422 it goes deeper than any setting does.
    """
    if request.content_type not in types:
        raise Refused(415, f"the body must be {' or '.join(types)}, not {request.content_type}")
    try:
        document = json.loads(await read_body(request))
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(document, dict):
        raise Refused(400, f"the body must be a mapping, not {type(document).__name__}")
    if goes_deeper(document):
        raise Refused(422, "no setting of a stream is that deep")
    return document
