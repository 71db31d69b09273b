"""What machines ask: Prometheus for the metrics, an orchestrator whether to restart or to send traffic."""

from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streamer.access.action import Action
from streamer.http.keys import METRICS, MODELS
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.problems import problem

routes = web.RouteTableDef()


@routes.get("/metrics")
@needs(Action.METRICS)
async def metrics(request: web.Request) -> web.Response:
    """Prometheus text, of the streams whose numbers one may read."""
    body = generate_latest(request.app[METRICS].of(request[PRINCIPAL]))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@routes.get("/healthz")
@needs(None)
async def healthz(_: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
@needs(None)
async def readyz(request: web.Request) -> web.Response:
    """The model server answers, for every model in use. Which those are is for who may see streams."""
    may_view = request[PRINCIPAL].may(Action.VIEW)
    models = request.app[MODELS]
    down: dict[str, Any] = {
        name: model.reason for name, model in models.items() if name in models.required and not model.up
    }
    if down:
        named = "; ".join(f"{name}: {reason}" for name, reason in down.items())
        return problem(503, named if may_view else "a model server does not answer")
    ready: dict[str, Any] = {"status": "ready"}
    if may_view:
        ready["models"] = {name: model.version for name, model in models.items()}
    return web.json_response(ready)
