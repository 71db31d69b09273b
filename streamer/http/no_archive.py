"""`/api/events`, recordings and alerts where nothing is kept: that is said.

Until 1.0 `/api/events` still answers who asks for a stream of detections.
"""

from aiohttp import web

from streamer.access.action import Action
from streamer.http.bodies.silence import ShownSilences
from streamer.http.feeds import FEED, FULL, all_detections, asks_for_events
from streamer.http.json_body import answer
from streamer.http.needs import needs
from streamer.http.operation import described
from streamer.values.errors import Refused

NOTHING_KEPT = (
    "nothing is kept here: the configuration has no section `archive`; what is seen now is at /api/detections"
)
NOTHING_RECORDED = "nothing is recorded here: the configuration has no section `archive`"
NOBODY_TOLD = "nobody is told anything here: the configuration has no section `archive`, and what is told is kept first"

routes = web.RouteTableDef()


@routes.get("/api/events", allow_head=False)
@needs(Action.VIEW)
@described({200: FEED, 404: NOTHING_KEPT, 503: FULL})
async def nothing(request: web.Request) -> web.StreamResponse:
    """Nothing is kept here. To `Accept: text/event-stream`, until 1.0, `/api/detections`."""
    if asks_for_events(request):
        return await all_detections(request)
    raise Refused(404, NOTHING_KEPT)


@routes.get("/api/streams/{name}/recordings")
@needs(Action.VIEW, stream="name")
@described({200: None, 404: NOTHING_RECORDED})
async def nothing_recorded(request: web.Request) -> web.StreamResponse:
    """Nothing is recorded here."""
    raise Refused(404, NOTHING_RECORDED)


@routes.get("/api/alerts")
@needs(Action.VIEW)
@described({200: None, 404: NOBODY_TOLD})
async def nobody_told(request: web.Request) -> web.StreamResponse:
    """Nobody is told anything here."""
    raise Refused(404, NOBODY_TOLD)


@routes.get("/api/outlets")
@needs(Action.OPERATE)
@described({200: None, 404: NOBODY_TOLD})
async def nobody_to_tell(request: web.Request) -> web.StreamResponse:
    """Nobody is told anything here."""
    raise Refused(404, NOBODY_TOLD)


@routes.get("/api/silences")
@needs(Action.VIEW)
@described({200: ShownSilences})
async def nothing_silenced(request: web.Request) -> web.StreamResponse:
    """None: every page asks for them, whether anything is kept or not."""
    return answer(ShownSilences(silences=()))
