"""`GET /api/events/export`: events and judged pictures, taken along; made while they are sent, however many."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.archive import Archive
from streamer.archive.export import csv_of, json_of
from streamer.archive.kept import Kept
from streamer.archive.query import MAX_LIMIT, Query
from streamer.archive.storage.bucket import StorageAway
from streamer.archive.training_set import coco_of, yolo_of
from streamer.http.audit import note
from streamer.http.bodies.body import read_query
from streamer.http.bodies.event import EventExport, ExportFormat
from streamer.http.feeds import GONE, WRITE_TIMEOUT, endless
from streamer.http.kept_events import ARCHIVE, query_of
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.values.errors import Overloaded

AT_ONCE = 2
"""Exports under way; each asks the database all the time."""
MEDIA = {"csv": "text/csv", "json": "application/json", "coco": "application/json", "yolo": "application/zip"}
NAMES = {"csv": "events.csv", "json": "events.json", "coco": "coco.json", "yolo": "yolo.zip"}
UNDER_WAY: web.AppKey[set[object]] = web.AppKey("exports", set)
TAKEN = Answer(Content(media=("text/csv", "application/json", "application/zip")), means="a file, sent as it is made")

routes = web.RouteTableDef()


@routes.get("/api/events/export", allow_head=False)
@needs(Action.VIEW)
@described(
    {
        200: TAKEN,
        400: "a word of the query is none",
        503: Answer(means="others are being made, or the archive cannot be used now", headers=("Retry-After",)),
    },
    query=EventExport,
)
async def export(request: web.Request) -> web.StreamResponse:
    """Events that fit as CSV or JSON; pictures that were judged, with their boxes, as COCO's JSON or YOLO's zip."""
    asked = read_query(EventExport, request.query)
    query = replace(await query_of(request, asked), limit=MAX_LIMIT)
    if asked.format in ("coco", "yolo") and query.reviewed is None:
        query = replace(query, reviewed="any")
    under_way = request.app[UNDER_WAY]
    if len(under_way) >= AT_ONCE:
        raise Overloaded("as many exports as may be are being made already", 10)
    this = object()
    under_way.add(this)
    try:
        return await _send(request, asked.format, query)
    finally:
        under_way.discard(this)


def set_up(app: web.Application) -> None:
    """Count them."""
    app[UNDER_WAY] = set()


async def _send(request: web.Request, kind: ExportFormat, query: Query) -> web.StreamResponse:
    archive = request.app[ARCHIVE]
    parts = _made(archive, kind, query)
    first = await anext(parts)
    head = {"Content-Disposition": f'attachment; filename="{NAMES[kind]}"', "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=head)
    response.content_type = MEDIA[kind]
    note(request, "event export", kind)
    with contextlib.suppress(*GONE):
        async with endless(request, None):
            await response.prepare(request)
            try:
                await _write(response, first)
                async for part in parts:
                    await _write(response, part)
                return response
            except Overloaded:
                pass
    if request.transport is not None:
        request.transport.abort()  # half a file must not look like a whole one
    return response


async def _write(response: web.StreamResponse, part: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT):
        await response.write(part)


def _made(archive: Archive, kind: ExportFormat, query: Query) -> AsyncIterator[bytes]:
    """An export's bytes, as they come."""
    if kind == "csv":
        return csv_of(_pages(archive, query))
    if kind == "json":
        return json_of(_pages(archive, query))
    if kind == "coco":
        return coco_of(partial(_pages, archive, query))
    return yolo_of(_pages(archive, query), partial(_picture, archive))


def _picture(archive: Archive, kept: Kept) -> bytes:
    try:
        return archive.pictures.read(archive.pictures.image(kept.event), kept.replica)
    except StorageAway as error:  # what is there and cannot be had is not left out
        raise Overloaded(str(error), 10) from None


async def _pages(archive: Archive, query: Query) -> AsyncIterator[Sequence[Kept]]:
    """All of them, a thousand at a time, each a question of its own: nothing is held open for a slow reader."""
    while page := await archive.page(query):
        yield page
        if len(page) < query.limit:
            return
        query = replace(query, before=page[-1].event.id)
