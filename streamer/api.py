"""The HTTP routes: the page, the API, the video, the metrics. docs/api.md describes each.

Only reading and watching are possible here, so nothing a foreign page makes a browser send can change anything: WHEP
takes `application/sdp` alone, which no form can send and no script may send across origins without being asked first.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streamer.errors import Overloaded, SessionError
from streamer.events import Events
from streamer.metrics import Metrics
from streamer.model import ServedModel
from streamer.pipeline import Pipeline
from streamer.session import MAX_OFFER
from streamer.streams import Streams

STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
EVENTS: web.AppKey[Events] = web.AppKey("events", Events)
METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)
MODELS: web.AppKey[tuple[ServedModel, ...]] = web.AppKey("models", tuple)
ENDLESS: web.AppKey[set[asyncio.Timeout]] = web.AppKey("endless", set)
"""What ends the responses that have no end of their own."""

SDP = "application/sdp"
HEARTBEAT = 15.0
"""Seconds after which a silent event stream sends a comment, so that proxies keep it open."""
WRITE_TIMEOUT = 10.0
"""Seconds a viewer's socket may refuse to take a picture before the viewer is let go."""

GONE = (TimeoutError, ConnectionResetError)
"""What an endless response meets when its viewer went away or stopped taking pictures, or when the service stops."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

routes = web.RouteTableDef()


def build(streams: Streams, events: Events, metrics: Metrics, models: tuple[ServedModel, ...]) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(middlewares=[_problems], client_max_size=2 * MAX_OFFER)
    app[STREAMS], app[EVENTS], app[METRICS], app[MODELS] = streams, events, metrics, models
    app[ENDLESS] = set()
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_end_endless)
    app.add_routes(routes)
    app.router.add_static("/web", _web_folder())
    return app


def _web_folder() -> Path:
    return Path(str(files("web")))


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every refusal is a sentence in RFC 9457's form."""
    try:
        return await handler(request)
    except Overloaded as error:
        return _problem(503, str(error), {"Retry-After": str(error.retry_after)})
    except SessionError as error:
        return _problem(error.status, str(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
        return _problem(error.status, error.text or error.reason, headers)


def _problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"title": web.Response(status=status).reason, "status": status, "detail": sentence}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


@contextlib.asynccontextmanager
async def _endless(request: web.Request) -> AsyncIterator[None]:
    """Something that goes on until the service stops; then TimeoutError is raised in it."""
    async with asyncio.timeout(None) as life:
        request.app[ENDLESS].add(life)
        try:
            yield
        finally:
            request.app[ENDLESS].discard(life)


async def _end_endless(app: web.Application) -> None:
    """Without this the server would wait its whole shutdown timeout for every viewer, twice."""
    for life in app[ENDLESS]:
        life.reschedule(0)


def _pipeline(request: web.Request) -> Pipeline:
    name = request.match_info["name"]
    pipeline = request.app[STREAMS].get(name)
    if pipeline is None:
        known = ", ".join(pipeline.name for pipeline in request.app[STREAMS]) or "none"
        raise web.HTTPNotFound(text=f"there is no stream of that name; there are: {known}")
    return pipeline


# ---- the page


@routes.get("/")
async def page(_: web.Request) -> web.StreamResponse:
    """The viewer."""
    return web.FileResponse(_web_folder() / "index.html")


# ---- what is known


@routes.get("/api/streams")
async def list_streams(request: web.Request) -> web.Response:
    """Every stream with its state and its numbers."""
    return web.json_response([pipeline.describe() for pipeline in request.app[STREAMS]])


@routes.get("/api/streams/{name}")
async def describe_stream(request: web.Request) -> web.Response:
    """One stream."""
    return web.json_response(_pipeline(request).describe())


@routes.get("/api/streams/{name}/frame.jpg")
async def still(request: web.Request) -> web.Response:
    """The newest annotated picture."""
    pipeline = _pipeline(request)
    picture = await pipeline.view.still(pipeline.notice())
    if picture is None:
        raise web.HTTPServiceUnavailable(
            text=f"stream {pipeline.name} has not had a picture yet", headers={"Retry-After": "2"}
        )
    return web.Response(body=picture.data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@routes.get("/api/events")
async def all_events(request: web.Request) -> web.StreamResponse:
    """The detections of every stream in one connection."""
    return await _send_events(request, None)


@routes.get("/api/streams/{name}/events")
async def stream_events(request: web.Request) -> web.StreamResponse:
    """The detections of one stream."""
    return await _send_events(request, _pipeline(request).name)


async def _send_events(request: web.Request, stream: str | None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    with request.app[EVENTS].subscribe(stream) as buffer, contextlib.suppress(*GONE):
        async with _endless(request):
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        event = await buffer.take()
                except TimeoutError:
                    event = b": still here\n\n"
                async with asyncio.timeout(WRITE_TIMEOUT):
                    await response.write(event)
    return response


# ---- the video


@routes.get("/streams/{name}.mjpeg")
async def mjpeg(request: web.Request) -> web.StreamResponse:
    """Annotated video as JPEG pictures one after the other, for `<img>`."""
    pipeline = _pipeline(request)
    request.app[STREAMS].require_room()
    boundary = "frame"
    response = web.StreamResponse(
        headers={"Content-Type": f"multipart/x-mixed-replace; boundary={boundary}", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    subscription = pipeline.view.jpeg.subscribe()
    try:
        with contextlib.suppress(*GONE):
            async with _endless(request):
                while True:
                    picture = await subscription.take()
                    head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n\r\n"
                    async with asyncio.timeout(WRITE_TIMEOUT):
                        await response.write(b"".join((head.encode(), picture.data, b"\r\n")))
    finally:
        pipeline.view.jpeg.unsubscribe(subscription)
    return response


@routes.post("/whep/{name}")
async def whep_offer(request: web.Request) -> web.Response:
    """A WHEP viewer's offer (draft-ietf-wish-whep section 4.2)."""
    pipeline = _pipeline(request)
    if request.content_type != SDP:
        raise web.HTTPUnsupportedMediaType(text=f"the offer must be {SDP}, not {request.content_type}")
    try:
        offer = await request.text()
    except (UnicodeDecodeError, LookupError):
        raise web.HTTPBadRequest(text="the SDP offer is not UTF-8 text") from None
    session, answer = await request.app[STREAMS].open_session(pipeline, offer)
    location = f"/whep/{pipeline.name}/{session.id}"
    return web.Response(status=201, text=answer, content_type=SDP, headers={"Location": location})


@routes.delete("/whep/{name}/{session}")
async def whep_end(request: web.Request) -> web.Response:
    """The viewer leaves."""
    session = request.app[STREAMS].sessions.get(request.match_info["session"])
    if session is None or session.stream != request.match_info["name"]:
        raise web.HTTPNotFound(text="there is no such session; it may have ended already")
    await session.close()
    return web.Response(status=200)


# ---- for machines


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus text."""
    body = generate_latest(request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """The model server answers, for every model in use."""
    down: dict[str, Any] = {model.name: model.reason for model in request.app[MODELS] if not model.up}
    if down:
        return _problem(503, "; ".join(f"{name}: {reason}" for name, reason in down.items()))
    return web.json_response({"status": "ready", "models": {m.name: m.version for m in request.app[MODELS]}})
