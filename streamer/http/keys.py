"""What the routes find in the application, and the stream a request names."""

import asyncio

from aiohttp import web

from streamer.control.reload import Reload
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.doctor.practice import Practice
from streamer.http.connection import peer_of
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.events import Events
from streamer.http.metrics import Metrics
from streamer.http.needs import PASSED, PRINCIPAL
from streamer.http.signalling import Signalling
from streamer.http.trusted_proxies import TrustedProxies
from streamer.inference.served_models import ServedModels
from streamer.stream.pipeline import Pipeline
from streamer.values.errors import Refused

STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
EVENTS: web.AppKey[Events] = web.AppKey("events", Events)
METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)
MODELS: web.AppKey[ServedModels] = web.AppKey("models", ServedModels)
STREAM_CHANGES: web.AppKey[StreamChanges] = web.AppKey("stream_changes", StreamChanges)
PRACTICE: web.AppKey[Practice] = web.AppKey("practice", Practice)
RELOAD: web.AppKey[Reload | None] = web.AppKey("reload", Reload)
"""None: no file is followed."""
SIGNALLING: web.AppKey[Signalling] = web.AppKey("signalling", Signalling)
PROXIES: web.AppKey[TrustedProxies] = web.AppKey("proxies", TrustedProxies)
ENDLESS: web.AppKey[dict[asyncio.Timeout, str | None]] = web.AppKey("endless", dict)
"""What ends the responses that have no end of their own, and the stream each is of; None: of all."""


def prefix_of(request: web.Request) -> str:
    """What whoever asks has before our paths; "" for nothing."""
    if PASSED in request:
        return request[PASSED].prefix
    return request.app[PROXIES].prefix(peer_of(request), request.headers)


def location(request: web.Request, path: str) -> str:
    """One of our paths, as whoever asks has to write it."""
    return prefix_of(request) + path


def stream_names(app: web.Application) -> tuple[str, ...]:
    """Of all streams; of a cluster those of all replicas."""
    here, elsewhere = (pipeline.name for pipeline in app[STREAMS]), app.get(ELSEWHERE)
    return tuple(here if elsewhere is None else dict.fromkeys((*elsewhere.names(), *here)))


def no_stream(request: web.Request) -> Refused:
    """What is answered to who names a stream that is not there, or that he may not see: he cannot tell which."""
    known = ", ".join(filter(request[PRINCIPAL].sees, stream_names(request.app))) or "none"
    return Refused(404, f"there is no stream of that name; there are: {known}")


def pipeline_of(request: web.Request) -> Pipeline:
    """The stream a request names.

    Raises:
        Refused: 404 there is none; says which there are for who asks.
    """
    pipeline = request.app[STREAMS].get(request.match_info["name"])
    if pipeline is None:
        raise no_stream(request)
    return pipeline
