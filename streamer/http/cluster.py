"""`/api/cluster`: which replicas there are, and which of them runs what. docs/api.md."""

from collections.abc import Callable
from typing import Literal

from aiohttp import web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.keys import METRICS
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.cluster_view import ClusterView
from streamer.values.errors import Refused

routes = web.RouteTableDef()


class ReplicaDescription(TypedDict):
    """One that lives."""

    name: str
    version: str
    capacity: int
    """Streams that it may well carry."""
    load: int
    """Streams that it runs."""
    labels: dict[str, str]


class SharedStreamDescription(TypedDict):
    """One stream of all replicas."""

    name: str
    replica: str | None
    """Who runs it; null: nobody who lives."""
    epoch: int
    """Grows with every change of who runs it; 0: nobody ever did."""
    reason: str | None
    """Why the replica that answers cannot run it; null: it could."""


class ClusterDescription(TypedDict):
    """A cluster, as the replica that answers sees it."""

    me: str
    """Who answers."""
    standing: Literal["away", "settling", "member"]
    """Away: NATS is, and what is said of others is what was last heard. Settling: it has only begun to listen."""
    replicas: list[ReplicaDescription]
    streams: list[SharedStreamDescription]
    """Those that one may see."""


@routes.get("/api/cluster")
@needs(Action.VIEW)
@described({200: ClusterDescription, 404: "this service is no replica of a cluster"})
async def cluster(request: web.Request) -> web.Response:
    """The replicas that share the streams, and which of them runs which."""
    found = request.app[METRICS].cluster
    if found is None:
        raise Refused(404, "this service is no replica; the section cluster of the configuration makes it one")
    return web.json_response(_described(found.view(), request[PRINCIPAL].sees))


def _described(view: ClusterView, sees: Callable[[str], bool]) -> ClusterDescription:
    replicas: list[ReplicaDescription] = [
        {
            "name": each.name,
            "version": each.version,
            "capacity": each.capacity,
            "load": each.load,
            "labels": dict(each.labels),
        }
        for each in view.replicas
    ]
    streams: list[SharedStreamDescription] = [
        {"name": each.name, "replica": each.replica, "epoch": each.epoch, "reason": each.reason}
        for each in view.streams
        if sees(each.name)
    ]
    return {"me": view.me, "standing": view.standing, "replicas": replicas, "streams": streams}
