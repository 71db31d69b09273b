"""What machines ask: Prometheus for the metrics, an orchestrator whether to restart or to send traffic."""

from typing import Any, Literal

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.exposition import exposition
from streamer.http.keys import METRICS, MODELS
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import Answer, Content, described
from streamer.http.problems import problem

routes = web.RouteTableDef()


class Alive(TypedDict):
    """The process answers."""

    status: Literal["ok"]


class Ready(TypedDict):
    """Every model in use answers."""

    status: Literal["ready"]
    models: dict[str, int | None]
    """The version of each that answers."""


@routes.get("/metrics")
@needs(Action.METRICS)
@described({200: Answer(Content(media=("text/plain",)))})
async def metrics(request: web.Request) -> web.Response:
    """Prometheus text, of the streams whose numbers one may read."""
    body = await exposition(request.app[METRICS].of(request[PRINCIPAL]))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@routes.get("/healthz")
@needs(None)
@described({200: Alive})
async def healthz(_: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
@needs(None)
@described({200: Ready, 503: "a model in use does not answer, and why"})
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
