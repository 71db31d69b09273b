"""`/api/streams/{name}/counts`: what went over the lines of one stream, and what is in its zones now."""

from typing import Literal

from aiohttp import web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.keys import pipeline_of
from streamer.http.needs import needs
from streamer.http.operation import described

routes = web.RouteTableDef()


class Crossings(TypedDict):
    """Of one line, one way, by things of one class."""

    line: str
    direction: Literal["forward", "backward"]
    label: str
    count: int
    """Since the stream began, which is the service's start at the latest."""


class Occupancy(TypedDict):
    """Of one zone, by things of one class."""

    zone: str
    label: str
    """Empty, with a count of 0: of each zone, so that all are there."""
    count: int
    """Now."""


class PlaceCounts(TypedDict):
    """Of one stream; nothing where nothing is watched."""

    crossings: list[Crossings]
    occupancy: list[Occupancy]


@routes.get("/api/streams/{name}/counts")
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: PlaceCounts})
async def counts(request: web.Request) -> web.Response:
    """What went over the lines of a stream, and what is in its zones now; the metrics say the same."""
    events = pipeline_of(request).events
    if events is None:
        return web.json_response({"crossings": [], "occupancy": []})
    crossings = [
        {"line": line, "direction": direction, "label": label, "count": count}
        for (line, direction, label), count in sorted(events.crossings.items())
    ]
    occupancy = [
        {"zone": zone, "label": label, "count": count} for (zone, label), count in sorted(events.occupancy().items())
    ]
    return web.json_response({"crossings": crossings, "occupancy": occupancy})
