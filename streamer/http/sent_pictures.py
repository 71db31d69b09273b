"""What carries pictures to us: a body that is one, or a form with several (RFC 7578), within limits as it comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web

from streamer.http.body import BODY_TIMEOUT
from streamer.http.connection import connection_of
from streamer.http.sent_bytes import Share
from streamer.values.errors import Overloaded, Refused

T = TypeVar("T")

TYPES = ("image/jpeg", "image/png", "image/webp")
FORM = "multipart/form-data"
MAX_BYTES = 32 << 20
"""Of all pictures of one request."""
MOST = 16
"""Pictures of one request."""


@dataclass(frozen=True, slots=True)
class SentPicture:
    """As it came."""

    name: str | None
    """The file's, of a form."""
    data: bytes


async def sent_pictures(request: web.Request, share: Share) -> list[SentPicture]:
    """All that a request carries; one at the least.

    Args:
        request: its body is read.
        share: holds what has come of it.

    Raises:
        Refused: 415 it carries something else, 413 more than may be, 408 it does not come, 400 it is none or broken.
        Overloaded: there is no room for it, or it came slowly and its room was needed.
    """
    if request.content_type not in (*TYPES, FORM):
        raise Refused(
            415, f"the body must be {', '.join(TYPES)} or {FORM}, not {request.content_type}", {"Accept-Post": ACCEPTED}
        )
    if request.content_length is not None and request.content_length > MAX_BYTES:
        raise _too_large()
    return await in_time(request, share, _read(request, share))


async def in_time(request: web.Request, share: Share, reading: Coroutine[Any, Any, T]) -> T:
    """What is read of a body, where that comes in its time.

    Raises:
        Refused: 408 it does not, 400 it is broken.
        Overloaded: it came slowly, and its room was needed.
    """
    connection = connection_of(request)
    try:
        async with asyncio.timeout(BODY_TIMEOUT) as patience:

            def stop() -> None:
                if not patience.expired():
                    patience.reschedule(0)

            with share.coming(stop), contextlib.nullcontext() if connection is None else connection.reading():
                return await reading
    except TimeoutError:
        if share.gave_way:
            raise Overloaded("the body came slowly, and its room was needed for others'", 2) from None
        raise Refused(408, f"the body did not come within {BODY_TIMEOUT:.0f} s") from None
    except (ValueError, web.RequestPayloadError):
        raise Refused(400, "the body is not of the form its headers say") from None


ACCEPTED = ", ".join((*TYPES, FORM))


async def _read(request: web.Request, share: Share) -> list[SentPicture]:
    found, left = list[SentPicture](), MAX_BYTES
    async for name, chunks in _parts(request):
        if len(found) == MOST:
            raise Refused(413, f"one request may carry {MOST} pictures")
        data = bytearray()
        async for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise _too_large()
            share.take(len(chunk))
            data += chunk
        found.append(SentPicture(name, bytes(data)))
    if not found:
        raise Refused(400, "there is no picture in the form; each is a part with a file name")
    return found


async def _parts(request: web.Request) -> AsyncIterator[tuple[str | None, AsyncIterator[bytes]]]:
    """Each picture's name, and its bytes as they come."""
    if request.content_type != FORM:
        yield None, request.content.iter_any()
        return
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename is not None:
            yield part.filename[:255], _chunks(part)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(1 << 16):
        yield chunk


def _too_large() -> Refused:
    return Refused(413, f"the pictures of one request may have {MAX_BYTES >> 20} MiB")
