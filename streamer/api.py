"""The HTTP routes: the page, the API, the video, the metrics. docs/api.md describes each.

What changes something, a viewer's session or a publisher's, has files of its own, whep.py and whip.py, and must come
from a page of ours or from no page: see origins.py.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streamer import changes, whep, whip
from streamer.administration import Administration
from streamer.doctor import routes as doctor
from streamer.errors import ChangeError, Overloaded, SessionError
from streamer.events import Events
from streamer.keys import ADMINISTRATION, ENDLESS, EVENTS, METRICS, MODELS, RELOAD, SIGNALLING, STREAMS, pipeline_of
from streamer.metrics import Metrics
from streamer.pipeline import Pipeline
from streamer.reload import Reload
from streamer.sdp import MAX_OFFER
from streamer.served_models import ServedModels
from streamer.signalling import Signalling
from streamer.streams import Streams

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

_HINTS = {401: {"WWW-Authenticate": "Bearer"}, 409: {"Retry-After": "5"}}
"""Headers a refusal carries besides its sentence (RFC 6750 section 3, RFC 9110 section 10.2.3)."""

routes = web.RouteTableDef()


def build(
    streams: Streams,
    events: Events,
    metrics: Metrics,
    models: ServedModels,
    signalling: Signalling,
    administration: Administration,
    reload: Reload | None,
) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(middlewares=[_problems, _origins], client_max_size=MAX_OFFER)
    app[STREAMS], app[EVENTS], app[METRICS], app[MODELS] = streams, events, metrics, models
    app[SIGNALLING], app[ADMINISTRATION], app[RELOAD] = signalling, administration, reload
    app[ENDLESS] = {}
    streams.on_removed.append(lambda name: _end_endless_of(app, name))
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_end_endless)
    for table in (routes, changes.routes, doctor.routes, whep.routes, whip.routes):
        app.add_routes(table)
    app.router.add_static("/web", _web_folder())
    return app


def _web_folder() -> Path:
    return Path(str(files("web")))


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    cors = request.app[SIGNALLING].origins.cors(request.headers.get("Origin"))
    for name, value in (HEADERS | cors).items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")


@web.middleware
async def _origins(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing is changed on behalf of a foreign page."""
    request.app[SIGNALLING].require_origin(request)
    return await handler(request)


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every refusal is a sentence in RFC 9457's form."""
    try:
        return await handler(request)
    except Overloaded as error:
        return _problem(503, str(error), {"Retry-After": str(error.retry_after)})
    except ChangeError as error:
        return _problem(error.status, str(error), _HINTS[401] if error.status == 401 else None)
    except SessionError as error:
        return _problem(error.status, str(error), _HINTS.get(error.status))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
        return _problem(error.status, error.text or error.reason, headers)


def _problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"title": web.Response(status=status).reason, "status": status, "detail": sentence}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


@contextlib.asynccontextmanager
async def _endless(request: web.Request, stream: str | None) -> AsyncIterator[None]:
    """Something that goes on until its stream or the service stops; then TimeoutError is raised in it."""
    async with asyncio.timeout(None) as life:
        request.app[ENDLESS][life] = stream
        try:
            yield
        finally:
            del request.app[ENDLESS][life]


async def _end_endless(app: web.Application) -> None:
    """Without this the server would wait its whole shutdown timeout for every viewer, twice."""
    for life in app[ENDLESS]:
        life.reschedule(0)


def _end_endless_of(app: web.Application, stream: str) -> None:
    """A stream is no more, and nothing will come of it."""
    for life, of in app[ENDLESS].items():
        if of == stream:
            life.reschedule(0)


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
    return web.json_response(pipeline_of(request).describe())


@routes.get("/api/streams/{name}/frame.jpg")
async def still(request: web.Request) -> web.Response:
    """The newest annotated picture."""
    pipeline = pipeline_of(request)
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
    return await _send_events(request, pipeline_of(request).name)


async def _send_events(request: web.Request, stream: str | None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    with request.app[EVENTS].subscribe(stream) as buffer, contextlib.suppress(*GONE):
        async with _endless(request, stream):
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
    pipeline = pipeline_of(request)
    with request.app[STREAMS].viewers.seated(pipeline.name, request.remote or ""):
        return await _send_pictures(request, pipeline)


async def _send_pictures(request: web.Request, pipeline: Pipeline) -> web.StreamResponse:
    boundary = "frame"
    response = web.StreamResponse(
        headers={"Content-Type": f"multipart/x-mixed-replace; boundary={boundary}", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    subscription = pipeline.view.jpeg.subscribe()
    try:
        with contextlib.suppress(*GONE):
            async with _endless(request, pipeline.name):
                while True:
                    picture = await subscription.take()
                    head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n\r\n"
                    async with asyncio.timeout(WRITE_TIMEOUT):
                        await response.write(b"".join((head.encode(), picture.data, b"\r\n")))
    finally:
        pipeline.view.jpeg.unsubscribe(subscription)
    return response


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
    models = request.app[MODELS]
    down: dict[str, Any] = {
        name: model.reason for name, model in models.items() if name in models.required and not model.up
    }
    if down:
        return _problem(503, "; ".join(f"{name}: {reason}" for name, reason in down.items()))
    return web.json_response({"status": "ready", "models": {name: model.version for name, model in models.items()}})
