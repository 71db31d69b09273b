"""The application: every route, whatever each needs, and the headers of all answers. docs/api.md describes each route.

What has no end is in feeds.py. Whoever asks must call us by a name of ours (names.py), and what changes something must
come from a page of ours or from no page (allowed_origins.py).
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from streamer.control.reload import Reload
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.doctor.practice import Practice
from streamer.http import configuration, doctor, feeds, page, probes, whep, whip
from streamer.http import streams as stream_routes
from streamer.http.events import Events
from streamer.http.keys import EVENTS, METRICS, MODELS, PRACTICE, RELOAD, SIGNALLING, STREAM_CHANGES, STREAMS
from streamer.http.metrics import Metrics
from streamer.http.problems import problems
from streamer.http.signalling import Signalling
from streamer.inference.served_models import ServedModels
from streamer.webrtc.sdp import MAX_OFFER

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def build(
    *,
    streams: Streams,
    events: Events,
    metrics: Metrics,
    models: ServedModels,
    signalling: Signalling,
    stream_changes: StreamChanges,
    practice: Practice,
    reload: Reload | None,
) -> web.Application:
    """The application, ready to be served. `reload` is None where no file is followed."""
    app = web.Application(middlewares=[problems, _require_name, _require_origin], client_max_size=MAX_OFFER)
    app[STREAMS], app[EVENTS], app[METRICS], app[MODELS] = streams, events, metrics, models
    app[SIGNALLING], app[STREAM_CHANGES], app[PRACTICE], app[RELOAD] = signalling, stream_changes, practice, reload
    app.on_response_prepare.append(_add_headers)
    feeds.set_up(app)
    page.set_up(app)
    for room in (configuration, doctor, probes, stream_routes, whep, whip):
        app.add_routes(room.routes)
    return app


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    origins = request.app[SIGNALLING].origins
    cors = origins.cors(request.headers.get("Origin"))
    for name, value in (HEADERS | {"Cross-Origin-Resource-Policy": origins.resource_policy} | cors).items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")
    response.headers.popall("Server", None)  # versions, of Python's too, are nobody's business


@web.middleware
async def _require_name(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing is answered to who takes us for somebody else."""
    request.app[SIGNALLING].require_name(request)
    return await handler(request)


@web.middleware
async def _require_origin(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing is changed on behalf of a foreign page."""
    request.app[SIGNALLING].require_origin(request)
    return await handler(request)
