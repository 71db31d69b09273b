"""`GET /api/events/facets`: which classes, zones and lines there are events of, for whoever looks for some."""

from aiohttp import web

from streamer.access.action import Action
from streamer.http.bodies.body import read_query
from streamer.http.bodies.event import EventFacets, OfStreams
from streamer.http.entity_tag import tagged
from streamer.http.kept_events import ARCHIVE, NOTHING, words_of
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import JSON, Answer, Content, described

routes = web.RouteTableDef()


@routes.get("/api/events/facets")
@needs(Action.VIEW)
@described(
    {200: Answer(Content(EventFacets), headers=("ETag",)), 400: "a word of the query is none", 503: NOTHING[503]},
    query=OfStreams,
)
async def facets(request: web.Request) -> web.Response:
    """Which streams, classes, zones and lines there are events of."""
    asked, archive = words_of(read_query(OfStreams, request.query).stream), request.app[ARCHIVE]
    seen = list(filter(request[PRINCIPAL].sees, await archive.streams()))
    found = await archive.facets([name for name in seen if not asked or name in asked])
    shown = EventFacets(streams=tuple(seen), classes=found.labels, zones=found.zones, lines=found.lines)
    return tagged(request, shown.model_dump_json().encode(), JSON)
