"""The responses that have no end of their own: detections as server-sent events, and video as JPEG pictures."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from streamer.access.action import Action
from streamer.http.admissions import ADMISSIONS
from streamer.http.keys import ENDLESS, EVENTS, STREAMS, pipeline_of
from streamer.http.needs import PRINCIPAL, needs, shown_by
from streamer.http.operation import Answer, Content, described
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import monotonic
from streamer.values.detections import Event

HEARTBEAT = 15.0
"""Seconds after which a silent event stream sends a comment, so that proxies keep it open."""
WRITE_TIMEOUT = 10.0
"""Seconds a viewer's socket may refuse to take a picture before the viewer is let go."""

GONE = (TimeoutError, ConnectionResetError)
"""What an endless response meets when its viewer went away or stopped taking pictures, or when the service stops."""

routes = web.RouteTableDef()
"""Without HEAD: its answer would have no end either, and nothing in it."""

FULL = Answer(means="all places are taken", headers=("Retry-After",))
FEED = Answer(Content(Event, media=("text/event-stream",)), means="without an end; the `data` of each event is JSON")
VIDEO = Answer(Content(media=("multipart/x-mixed-replace",)), means="without an end; each part is a JPEG")


@routes.get("/api/detections", allow_head=False)
@needs(Action.VIEW)
@described({200: FEED, 503: FULL})
async def all_detections(request: web.Request) -> web.StreamResponse:
    """The detections of every stream that one may see in one connection."""
    return await _send_events(request, None)


@routes.get("/api/streams/{name}/events", allow_head=False)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: FEED, 503: FULL})
async def stream_events(request: web.Request) -> web.StreamResponse:
    """The detections of one stream."""
    return await _send_events(request, pipeline_of(request).name)


@routes.get("/streams/{name}.mjpeg", allow_head=False)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: VIDEO, 503: FULL})
async def mjpeg(request: web.Request) -> web.StreamResponse:
    """Annotated video as JPEG pictures one after the other, for `<img>`."""
    pipeline = pipeline_of(request)
    with request.app[STREAMS].seats.seated(pipeline.name, request.remote or ""):
        return await _send_pictures(request, pipeline)


def asks_for_events(request: web.Request) -> bool:
    """Whether a browser's EventSource asks, or something like it (HTML Living Standard section 9.2.2)."""
    return "text/event-stream" in request.headers.get("Accept", "")


def set_up(app: web.Application) -> None:
    """End each with its stream or the service."""
    app[ENDLESS] = {}
    app[STREAMS].on_removed.append(lambda name: _end_those_of(app, name))
    app.on_shutdown.append(_end_all)


async def _send_events(request: web.Request, stream: str | None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    seats = request.app[STREAMS].seats
    with (
        seats.seated(stream, request.remote or ""),
        request.app[EVENTS].subscribe(stream, request[PRINCIPAL].sees) as buffer,
        contextlib.suppress(*GONE),
    ):
        async with endless(request, stream):
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        event = await buffer.take()
                except TimeoutError:
                    event = b": still here\n\n"
                async with asyncio.timeout(WRITE_TIMEOUT):
                    await response.write(event)
    return response


async def _send_pictures(request: web.Request, pipeline: Pipeline) -> web.StreamResponse:
    boundary = "frame"
    response = web.StreamResponse(
        headers={"Content-Type": f"multipart/x-mixed-replace; boundary={boundary}", "Cache-Control": "no-store"}
    )
    subscription = pipeline.view.jpeg.subscribe()
    try:
        with contextlib.suppress(*GONE):
            async with endless(request, pipeline.name):
                await response.prepare(request)
                while True:
                    picture = await subscription.take()
                    pipeline.ledger.sent(picture.pts, monotonic())
                    head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n\r\n"
                    async with asyncio.timeout(WRITE_TIMEOUT):
                        await response.write(b"".join((head.encode(), picture.data, b"\r\n")))
    finally:
        pipeline.view.jpeg.unsubscribe(subscription)
    return response


@contextlib.asynccontextmanager
async def endless(request: web.Request, stream: str | None, *, outlives_stream: bool = False) -> AsyncIterator[None]:
    """Something that goes on until its stream, its permission or the service ends: TimeoutError is raised in it.

    Args:
        request: whose it is.
        stream: it is of; None: of all that one may see.
        outlives_stream: of what was recorded of it, which stays where the stream goes.
    """
    async with asyncio.timeout(None) as life:
        request.app[ENDLESS][life] = None if outlives_stream else stream
        admissions, end = request.app[ADMISSIONS], partial(_end_soon, life)
        try:
            with admissions.admitted(life, shown_by(request), Action.VIEW, stream, end=end):
                yield
        finally:
            del request.app[ENDLESS][life]


async def _end_all(app: web.Application) -> None:
    """Without this the server would wait its whole shutdown timeout for every viewer, twice."""
    for life in app[ENDLESS]:
        _end(life)


def _end_those_of(app: web.Application, stream: str) -> None:
    """A stream is no more, and nothing will come of it."""
    for life, of in app[ENDLESS].items():
        if of == stream:
            _end(life)


async def _end_soon(life: asyncio.Timeout) -> None:
    _end(life)


def _end(life: asyncio.Timeout) -> None:
    if not life.expired():  # its response may be ending already
        life.reschedule(0)
