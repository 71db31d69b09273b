"""What machines ask: Prometheus for the metrics, an orchestrator whether to restart or to send traffic."""

from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streamer.http.keys import METRICS, MODELS
from streamer.http.problems import problem

routes = web.RouteTableDef()


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
