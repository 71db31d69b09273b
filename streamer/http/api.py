"""The HTTP routes: the page, what is known of streams, the metrics. docs/api.md describes each.

What has no end is in feeds.py. What changes something has files of its own too, changes.py, whep.py and whip.py, and
must come from a page of ours or from no page: see origins.py.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streamer.control.reload import Reload
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.http import changes, doctor, feeds, whep, whip
from streamer.http.description import describe
from streamer.http.events import Events
from streamer.http.keys import EVENTS, METRICS, MODELS, RELOAD, SIGNALLING, STREAM_CHANGES, STREAMS, pipeline_of
from streamer.http.metrics import Metrics
from streamer.http.problems import problem, problems
from streamer.http.signalling import Signalling
from streamer.inference.served_models import ServedModels
from streamer.webrtc.sdp import MAX_OFFER

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

routes = web.RouteTableDef()


def build(
    streams: Streams,
    events: Events,
    metrics: Metrics,
    models: ServedModels,
    signalling: Signalling,
    stream_changes: StreamChanges,
    reload: Reload | None,
) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(middlewares=[problems, _origins], client_max_size=MAX_OFFER)
    app[STREAMS], app[EVENTS], app[METRICS], app[MODELS] = streams, events, metrics, models
    app[SIGNALLING], app[STREAM_CHANGES], app[RELOAD] = signalling, stream_changes, reload
    app.on_response_prepare.append(_add_headers)
    feeds.set_up(app)
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


# ---- the page


@routes.get("/")
async def page(_: web.Request) -> web.StreamResponse:
    """The viewer."""
    return web.FileResponse(_web_folder() / "index.html")


# ---- what is known


@routes.get("/api/streams")
async def list_streams(request: web.Request) -> web.Response:
    """Every stream with its state and its numbers."""
    return web.json_response([describe(stream) for stream in request.app[STREAMS]])


@routes.get("/api/streams/{name}")
async def describe_stream(request: web.Request) -> web.Response:
    """One stream."""
    return web.json_response(describe(pipeline_of(request)))


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
        return problem(503, "; ".join(f"{name}: {reason}" for name, reason in down.items()))
    return web.json_response({"status": "ready", "models": {name: model.version for name, model in models.items()}})
