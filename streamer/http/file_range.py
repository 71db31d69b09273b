"""A file of any size sent, or the part of it that is asked for (RFC 9110 section 14).

Not by aiohttp's FileResponse: its sendfile(2) ends in a traceback where a viewer leaves meanwhile, and it reads in the
threads that everybody waits for, which a disk that hangs would use up.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from aiohttp import ETag, web

from streamer.archive.storage.bucket import StorageAway
from streamer.archive.storage.object_file import ObjectFile
from streamer.http.feeds import GONE, endless
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, Refused

CHUNK = 256 * 1024
"""Bytes that are read at a time."""
PATIENCE = 60.0
"""Seconds that a viewer may take for a chunk; a browser's player stops reading while it is ahead, and asks again."""
DISK_PATIENCE = 10.0
"""Seconds that a disk may take for one."""
STORAGE_PATIENCE = 20.0
"""Seconds that object storage may take for one."""

FILES: web.AppKey[Errands] = web.AppKey("files", Errands)
"""Threads that read."""
STORED: web.AppKey[Errands] = web.AppKey("stored", Errands)
"""Those that read what is in object storage: one that is away must not keep the disk's waiting."""

Opened = BinaryIO | ObjectFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """How a file is answered."""

    path: Path | Callable[[], Opened]
    """Of it, or what opens it; that blocks, and raises OSError."""
    stream: str
    """Whoever may no longer see it gets no more of the file."""
    media: str = "video/mp4"
    cache: str = "private, no-cache"
    download: str | None = None
    """The name it is saved under; None: it is shown."""
    gone: str = "this file is no longer there"
    """The sentence for that."""
    tag: str | None = None
    """What it is known by; None: by when it was written, and its size."""


async def send_file(request: web.Request, answer: FileAnswer) -> web.StreamResponse:
    """Send it, or its part.

    Raises:
        Refused: 404 it is not there, 416 the part begins behind its end.
        Overloaded: the disk does not answer.
    """
    try:
        file, tag, size = await _opened(request, answer)
    except OSError:
        raise Refused(404, answer.gone) from None
    with contextlib.closing(file):
        await require_readable(request, file, answer.gone)
        part = _part(request, tag, size)
        response = web.StreamResponse(headers={"Cache-Control": answer.cache, "Accept-Ranges": "bytes"})
        response.etag = tag
        if request.if_none_match and tag in request.if_none_match:
            response.set_status(304)
            return response
        response.content_type = answer.media
        if answer.download is not None:
            response.headers["Content-Disposition"] = f'attachment; filename="{answer.download}"'
        if part is not None:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        part = range(size) if part is None else part
        response.content_length = len(part)
        await send(request, response, _pieces(request, file, part), answer.stream)
    return response


def part_of(request: web.Request, body: bytes, media: str, cache: str) -> web.Response:
    """The same of what is at hand.

    Raises:
        Refused: 416.
    """
    tag = ETag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"Cache-Control": cache, "Accept-Ranges": "bytes"}
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304, headers=headers)
    elif (part := _part(request, tag, len(body))) is None:
        response = web.Response(body=body, content_type=media, headers=headers)
    else:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(body)}"
        response = web.Response(status=206, body=body[part.start : part.stop], content_type=media, headers=headers)
    response.etag = tag
    return response


async def in_its_thread(request: web.Request, errand: Callable[[], T]) -> T:
    """Have something read.

    Raises:
        Overloaded: the disk does not answer.
    """
    try:
        async with asyncio.timeout(DISK_PATIENCE):
            return await request.app[FILES].run(errand)
    except TimeoutError:
        raise Overloaded("the disk that the archive is on does not answer", 10) from None


async def fetched(request: web.Request, errand: Callable[[], T]) -> T:
    """Have something read that is in object storage.

    Raises:
        Overloaded: it is away.
        FileNotFoundError: it is not there.
    """
    try:
        async with asyncio.timeout(STORAGE_PATIENCE):
            return await request.app[STORED].run(errand)
    except TimeoutError:
        raise Overloaded("the object storage does not answer", 10) from None
    except StorageAway as error:
        raise Overloaded(str(error), 10) from None


async def read(request: web.Request, file: Opened, size: int, at: int) -> bytes:
    """So many bytes of it from there on.

    Raises:
        Overloaded: the disk does not answer, or object storage is away.
        OSError: it cannot be read.
    """
    if isinstance(file, ObjectFile):
        return await fetched(request, partial(file.pread, size, at))
    return await in_its_thread(request, partial(os.pread, file.fileno(), size, at))


async def require_readable(request: web.Request, file: Opened, gone: str) -> None:
    """Before anything is answered: object storage says only when it is read that it is away, or that nothing is there.

    Raises:
        Refused: 404.
        Overloaded: it is away.
    """
    if isinstance(file, ObjectFile):
        try:
            await read(request, file, 1, 0)
        except OSError:
            raise Refused(404, gone) from None


async def send(request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes], stream: str) -> None:
    """Send what comes a piece at a time; what breaks off, or is not as long as was said, does not look like the whole.

    Args:
        request: whose it is.
        response: not begun yet.
        pieces: raises Overloaded, OSError or ValueError where one cannot be had.
        stream: who may no longer see it gets no more.
    """
    is_whole, left = False, response.content_length
    with contextlib.suppress(*GONE, Overloaded, OSError, ValueError):
        async with endless(request, stream, outlives_stream=True):
            await response.prepare(request)
            if request.method != "HEAD":
                async for piece in pieces:
                    async with asyncio.timeout(PATIENCE):
                        await response.write(piece)
                    left = None if left is None else left - len(piece)
                is_whole = not left
            else:
                is_whole = True
    if not is_whole and request.transport is not None:
        request.transport.abort()


async def _pieces(request: web.Request, file: Opened, part: range) -> AsyncIterator[bytes]:
    for at in range(part.start, part.stop, CHUNK):
        yield await read(request, file, min(CHUNK, part.stop - at), at)


def _part(request: web.Request, tag: ETag, size: int) -> range | None:
    """The bytes that are asked for; None: all, as where what is asked for is no range, or of another state of the file.

    RFC 9110 sections 13.1.5 and 14.2.
    """
    said = request.headers.get("If-Range")
    if said is not None and said != f'"{tag.value}"':
        return None
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked.start is None:
        return None
    is_none = request.headers["Range"].rstrip("0").endswith("=-")  # the last no bytes: aiohttp takes them for all
    part = range(0) if is_none else range(size)[asked]
    if not part:
        sentence = f"this file has {size} bytes, and none of those that are asked for"
        raise Refused(416, sentence, {"Content-Range": f"bytes */{size}"})
    return part


async def _opened(request: web.Request, answer: FileAnswer) -> tuple[Opened, ETag, int]:
    """The file; closed, where whoever asked hangs up while it is opened.

    Raises:
        OSError: it cannot be.
        Overloaded: the disk does not answer.
    """
    opening = asyncio.ensure_future(in_its_thread(request, partial(_open, answer)))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_let_go)
        raise


def _let_go(opening: asyncio.Future[tuple[Opened, ETag, int]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()


def _open(answer: FileAnswer) -> tuple[Opened, ETag, int]:
    file = answer.path.open("rb", buffering=0) if isinstance(answer.path, Path) else answer.path()
    if isinstance(file, ObjectFile):
        return file, ETag(answer.tag or f"{len(file):x}"), len(file)
    found = os.fstat(file.fileno())
    return file, ETag(answer.tag or f"{found.st_mtime_ns:x}-{found.st_size:x}"), found.st_size
