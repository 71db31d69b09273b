"""`/api/events`: what is kept of what was seen, found by what it was, judged, told as it is kept, and let go."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from aiohttp import ETag, web

from streamer.access.action import Action
from streamer.archive.archive import Archive
from streamer.archive.kept import Kept, Review
from streamer.archive.query import Query
from streamer.http.access_keys import ACCESS
from streamer.http.announcements import ANNOUNCEMENTS, Announcements, text_of
from streamer.http.audit import audited, note
from streamer.http.bodies.body import read_query
from streamer.http.bodies.event import EventFilter, EventPage, EventReview, EventSearch, ShownEvent
from streamer.http.changes import whole
from streamer.http.entity_tag import tagged
from streamer.http.feeds import FULL, GONE, HEARTBEAT, WRITE_TIMEOUT, all_detections, asks_for_events, endless
from streamer.http.file_range import fetched, in_its_thread
from streamer.http.gate import require
from streamer.http.json_body import FITS, answer, body_of
from streamer.http.keys import STREAMS
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import Answer, Content, described
from streamer.values.buffer import Buffer
from streamer.values.errors import Overloaded, Refused
from streamer.values.uuid7 import PATTERN

ARCHIVE: web.AppKey[Archive] = web.AppKey("archive", Archive)

routes = web.RouteTableDef()

ONE = f"/api/events/{{event:{PATTERN}}}"
"""What is no id is no path, and nobody asks the database for it."""
NOTHING = {404: "there is no such event", 503: "the archive cannot be used for now"}
PAGE = Answer(Content(EventPage), headers=("ETag",))
PICTURE = Answer(Content(media=("image/jpeg",)), headers=("ETag",))
TOLD = Answer(Content(ShownEvent, media=("text/event-stream",)), means="without an end; the `data` of each is JSON")


@routes.get("/api/events", allow_head=False)
@needs(Action.VIEW)
@described({200: PAGE, 400: "a word of the query is none", **NOTHING}, query=EventSearch)
async def page(request: web.Request) -> web.StreamResponse:
    """The newest events that fit, newest first. To `Accept: text/event-stream`, until 1.0: `/api/detections`."""
    if asks_for_events(request):
        return await all_detections(request)
    asked = read_query(EventSearch, request.query)
    query = replace(await query_of(request, asked), before=asked.cursor, limit=asked.limit)
    archive = request.app[ARCHIVE]
    found = await archive.page(query)
    full = len(found) == query.limit
    cursor = found[-1].event.id if full and found else None
    uploads = archive.uploads
    listed = EventPage(
        events=tuple(map(shown, found)),
        cursor=cursor,
        failing=archive.failing,
        storage_failing=None if uploads is None else uploads.failing,
    )
    response = tagged(request, listed.model_dump_json().encode(), "application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@routes.get("/api/events/stream", allow_head=False)
@needs(Action.VIEW)
@described({200: TOLD, 503: FULL}, headers={"Last-Event-ID": "`changed` of the last one one has"})
async def tell(request: web.Request) -> web.StreamResponse:
    """Events as they are kept: `new`, `updated`, `ended`; after `Last-Event-ID`, those that changed since first."""
    archive, sees = request.app[ARCHIVE], request[PRINCIPAL].sees
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    with (
        request.app[STREAMS].seats.seated(None, request.remote or ""),
        request.app[ANNOUNCEMENTS].listen(sees) as buffer,
        contextlib.suppress(*GONE),
    ):
        async with endless(request, None):
            newest = await archive.newest_change()
            after = _last_event_id(request)
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            # Where the database goes away the connection ends, and who listened comes back with what he knows.
            with contextlib.suppress(Overloaded):
                async for text in _told(archive, buffer, newest if after is None else min(after, newest), sees):
                    async with asyncio.timeout(WRITE_TIMEOUT):
                        await response.write(text)
    return response


@routes.get(ONE)
@needs(Action.VIEW)
@described({200: ShownEvent, **NOTHING})
async def one(request: web.Request) -> web.Response:
    """One event."""
    return answer(shown(await _kept(request)))


@routes.get(f"{ONE}/picture")
@needs(Action.VIEW)
@described({200: PICTURE, **NOTHING})
async def picture(request: web.Request) -> web.StreamResponse:
    """What it looked like at its best, at the camera's size, with nothing drawn on it."""
    kept = await _kept(request)
    return await _file(request, kept, request.app[ARCHIVE].pictures.image(kept.event))


@routes.get(f"{ONE}/thumbnail")
@needs(Action.VIEW)
@described({200: PICTURE, **NOTHING})
async def thumbnail(request: web.Request) -> web.StreamResponse:
    """The thing and what was around it, small."""
    kept = await _kept(request)
    return await _file(request, kept, request.app[ARCHIVE].pictures.thumbnail(kept.event))


@routes.patch(ONE)
@needs(Action.OPERATE)
@described({200: ShownEvent, **NOTHING, **FITS}, body=EventReview)
async def review(request: web.Request) -> web.Response:
    """Say whether it was right, note something, or keep it for good."""
    kept = await _kept(request)
    require(request, Action.OPERATE, kept.event.stream)
    said = await body_of(request, EventReview)
    judged = request.app[ARCHIVE].review(kept.event.id, partial(_reviewed, request, said))
    words = ", ".join(sorted(said.model_fields_set))
    changed = await whole(request, judged, lambda now: _note(request, now is not None, "event review", kept, words))
    if changed is None:
        raise _no_event()
    return answer(shown(changed))


@routes.delete(ONE)
@needs(Action.OPERATE)
@described({204: None, **NOTHING})
async def remove(request: web.Request) -> web.Response:
    """Remove it, and its pictures."""
    kept = await _kept(request)
    require(request, Action.OPERATE, kept.event.stream)
    removed = request.app[ARCHIVE].remove(kept.event.id)
    if not await whole(request, removed, lambda done: _note(request, done, "event remove", kept)):
        raise _no_event()
    return web.Response(status=204)


# ---- what they have in common


def set_up(app: web.Application, archive: Archive, announcements: Announcements) -> None:
    """Answer for this archive."""
    app[ARCHIVE], app[ANNOUNCEMENTS] = archive, announcements


async def _kept(request: web.Request) -> Kept:
    """The event that a request names, where its stream is one that one may see."""
    kept = await request.app[ARCHIVE].one(request.match_info["event"])
    if kept is None or not request[PRINCIPAL].sees(kept.event.stream):
        raise _no_event()
    return kept


def _note(request: web.Request, done: bool, what: str, kept: Kept, detail: str = "") -> None:
    if done:
        note(request, what, kept.event.id, detail=detail)


def _no_event() -> Refused:
    return Refused(404, "there is no such event; it may have been let go")


async def query_of(request: web.Request, asked: EventFilter) -> Query:
    """What is asked for, of streams that whoever asks may see."""
    return Query(
        streams=await streams_of(request, words_of(asked.stream)),
        labels=words_of(asked.label),
        zone=asked.zone,
        line=asked.line,
        since=asked.since,
        until=asked.until,
        min_score=asked.min_score,
        reviewed=asked.reviewed,
        bookmarked=asked.bookmarked,
    )


async def streams_of(request: web.Request, asked: Sequence[str]) -> tuple[str, ...] | None:
    """Those of the ones that are asked for which one may see, gone ones too; None: all there are."""
    sees = request[PRINCIPAL].sees
    if asked:
        return tuple(filter(sees, asked))
    known = await request.app[ARCHIVE].streams()
    return None if all(map(sees, known)) else tuple(filter(sees, known))


def words_of(said: str | None) -> tuple[str, ...]:
    """Those between commas."""
    return () if said is None else tuple(filter(None, (word.strip() for word in said.split(","))))


def shown(kept: Kept) -> ShownEvent:
    return ShownEvent.model_validate(kept.document(), strict=False)


def _reviewed(request: web.Request, said: EventReview, before: Review) -> Review:
    given = said.model_fields_set
    now = request.app[ACCESS].wall()
    return replace(
        before,
        verdict=(said.reviewed or "") if "reviewed" in given else before.verdict,
        note=before.note if said.note is None else said.note,
        bookmarked=before.bookmarked if said.bookmarked is None else said.bookmarked,
        by=audited(request[PRINCIPAL]),
        at=now,
    )


async def _file(request: web.Request, kept: Kept, path: Path) -> web.Response:
    """A file that is there as long as its event is. Names hold no part of a request.

    Read whole, as the page's files are: aiohttp's sendfile(2) ends in a traceback where a viewer leaves meanwhile. In
    threads that wait for the archive's disk alone: one that hangs holds up no live picture, which others draw.
    """
    try:
        body, mark = await in_its_thread(request, partial(_read, path))
    except FileNotFoundError:
        body, mark = await _fetched(request, kept, path)
    except OSError:
        raise Refused(404, "this event has no picture") from None
    tag = ETag(mark)
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304)
    else:
        response = web.Response(body=body, content_type="image/jpeg")
    response.etag = tag
    response.headers["Cache-Control"] = "private, no-cache"  # a better one may come while its event goes on
    return response


def _read(path: Path) -> tuple[bytes, str]:
    """A file, and what tells it from one that takes its place."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        return file.read(), f"{found.st_mtime_ns:x}-{found.st_size:x}"


async def _fetched(request: web.Request, kept: Kept, path: Path) -> tuple[bytes, str]:
    """The same of one that may be in object storage alone, or with another replica."""
    try:
        body = await fetched(request, partial(request.app[ARCHIVE].pictures.read, path, kept.replica))
    except OSError:
        raise Refused(404, "this event has no picture") from None
    return body, hashlib.sha256(body).hexdigest()[:32]


def _last_event_id(request: web.Request) -> int | None:
    said = request.headers.get("Last-Event-ID", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


async def _told(
    archive: Archive, buffer: Buffer[Kept], after: int, sees: Callable[[str], bool]
) -> AsyncIterator[bytes]:
    """What changed after that and what does from now on, without an end; what a listener was too slow for, too."""
    missed = -1
    while True:
        if buffer.dropped != missed:
            missed = buffer.dropped
            while some := await archive.since(after):
                after = some[-1].changed
                for kept in some:
                    if sees(kept.event.stream):
                        yield text_of(kept)
        try:
            async with asyncio.timeout(HEARTBEAT):
                kept = await buffer.take()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        if buffer.dropped == missed and kept.changed > after:
            after = kept.changed
            yield text_of(kept)
