"""`POST /whep/{name}/{session}/painted`: a viewer's page says when it had pictures on the screen. docs/latency.md.

It compares its clock with the session's by the same exchange, as NTP does (RFC 5905 section 8).
"""

from typing import TYPE_CHECKING

from aiohttp import web

from streamer.access.action import Action
from streamer.http.bodies.painted import PaintedAnswer, PaintedReport
from streamer.http.json_body import FITS, answer, body_of
from streamer.http.keys import SIGNALLING, pipeline_of
from streamer.http.needs import needs
from streamer.http.operation import Answer, described
from streamer.http.whep import SESSION, session_of
from streamer.stream.ledger import Ledger
from streamer.values.clock import monotonic
from streamer.values.errors import Refused
from streamer.values.receipts import SLACK, Receipt

if TYPE_CHECKING:
    from streamer.webrtc.viewer import Viewer

routes = web.RouteTableDef()

PAINTED = f"{SESSION}/painted"
METHODS = "OPTIONS, POST"
ROUND_TRIP = 1.0
"""Seconds of a round trip by which clocks can be compared: they are off by half of it at the most."""
ON_ITS_WAY = 10.0
"""Seconds that a report may have been on its way."""
MILLISECONDS = 1000.0

TOO_OFTEN = {429: Answer(means="more than one a second", headers=("Retry-After",))}
OPTIONS = Answer(means="what may be asked here", headers=("Allow",))


@routes.post(PAINTED)
@needs(Action.VIEW, stream="name")
@described({200: PaintedAnswer, **FITS, **TOO_OFTEN}, body=PaintedReport)
async def painted(request: web.Request) -> web.Response:
    """When pictures were on a viewer's screen; the answer tells the time by the session's clock."""
    now = monotonic()
    session = session_of(request)
    if not session.may_report(now):
        raise Refused(429, "a page reports what it has shown once a second at the most", {"Retry-After": "1"})
    report = await body_of(request, PaintedReport)
    if report.frames and (report.offset is None or report.round_trip is None):
        raise Refused(422, "offset and round_trip must be given with frames: their times are of the page's own clock")
    taken, ignored = _take(report, session, pipeline_of(request).ledger, now)
    return answer(
        PaintedAnswer(received=_told(now, session), answered=_told(monotonic(), session), taken=taken, ignored=ignored)
    )


@routes.options(PAINTED)
@needs(None)
@described({204: OPTIONS})
async def painted_options(request: web.Request) -> web.Response:
    """What may be asked here; the same whether there is such a session."""
    headers = {"Allow": METHODS}
    if "Access-Control-Request-Method" in request.headers:
        headers |= request.app[SIGNALLING].origins.preflight(request.headers.get("Origin"), METHODS)
    return web.Response(status=204, headers=headers)


def _take(report: PaintedReport, session: "Viewer", ledger: Ledger, now: float) -> tuple[int, int]:
    """Put what is believed into the ledger; gives how many pictures count, and how many are not believed."""
    taken = ignored = 0
    if report.offset is None or report.round_trip is None:
        return taken, ignored
    slack = report.round_trip / MILLISECONDS / 2
    # Seconds to add to what the page says.
    offset = session.began_at + report.offset / MILLISECONDS
    on_its_way = now - (report.sent / MILLISECONDS + offset)
    if not (2 * slack <= ROUND_TRIP and -slack - SLACK <= on_its_way <= ON_ITS_WAY):
        ledger.disbelieved("clock", len(report.frames))
        return taken, len(report.frames)
    for timestamp, received, seen in report.frames:
        receipt = session.seen(
            timestamp,
            None if received is None else received / MILLISECONDS + offset,
            seen / MILLISECONDS + offset,
            now=now,
            slack=slack,
        )
        if isinstance(receipt, Receipt):
            taken += ledger.painted(receipt)
        else:
            ledger.disbelieved(receipt)
            ignored += 1
    return taken, ignored


def _told(at: float, session: "Viewer") -> float:
    """A moment by the session's clock."""
    return round((at - session.began_at) * MILLISECONDS, 3)
