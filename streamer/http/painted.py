"""`POST …/painted`: a viewer's page says when it had pictures on the screen. docs/latency.md.

It compares its clock with the session's by the same exchange, as NTP does (RFC 5905 section 8).
"""

from collections.abc import Callable

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
from streamer.values.receipts import SLACK, Receipt, Receipts

routes = web.RouteTableDef()

PAINTED = f"{SESSION}/painted"
CLEAN = "/api/streams/{name}/video/{viewer}/painted"
Identify = Callable[[int], int | None]
"""By what receipts know a picture that a page names so; None: nothing was sent."""
METHODS = "OPTIONS, POST"
ROUND_TRIP = 1.0
"""Seconds of a round trip by which clocks can be compared: they are off by half of it at the most."""
ON_ITS_WAY = 10.0
"""Seconds that a report may have been on its way."""
MILLISECONDS = 1000.0

TOO_OFTEN = {429: Answer(means="more than one a second", headers=("Retry-After",))}
OPTIONS = Answer(means="what may be asked here", headers=("Allow",))


@routes.post(PAINTED)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: PaintedAnswer, **FITS, **TOO_OFTEN}, body=PaintedReport)
async def painted(request: web.Request) -> web.Response:
    """When pictures were on a viewer's screen; the answer tells the time by the session's clock."""
    now = monotonic()
    session = session_of(request)
    return await _reported(request, now, session.receipts, session.identity)


@routes.post(CLEAN)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: PaintedAnswer, **FITS, **TOO_OFTEN}, body=PaintedReport)
async def clean_painted(request: web.Request) -> web.Response:
    """The same of pictures that came as the camera sent them; `viewer` is told in the first message there."""
    now = monotonic()
    viewer = pipeline_of(request).sizes.viewer(request.match_info["viewer"])
    if viewer is None:
        raise Refused(404, "there is no such viewer; he may have left already")
    return await _reported(request, now, viewer.receipts, lambda time: time)


async def _reported(request: web.Request, now: float, receipts: Receipts, identify: Identify) -> web.Response:
    if not receipts.may_report(now):
        raise Refused(429, "a page reports what it has shown once a second at the most", {"Retry-After": "1"})
    report = await body_of(request, PaintedReport)
    if report.frames and (report.offset is None or report.round_trip is None):
        raise Refused(422, "offset and round_trip must be given with frames: their times are of the page's own clock")
    taken, ignored = _take(report, receipts, identify, pipeline_of(request).ledger, now)
    began_at = receipts.began_at
    return answer(
        PaintedAnswer(
            received=_told(now, began_at), answered=_told(monotonic(), began_at), taken=taken, ignored=ignored
        )
    )


@routes.options(PAINTED)
@needs(None)
@described({204: OPTIONS})
async def painted_options(request: web.Request) -> web.Response:
    """What may be asked here; the same whether there is such a session."""
    return _options(request)


@routes.options(CLEAN)
@needs(None)
@described({204: OPTIONS})
async def clean_painted_options(request: web.Request) -> web.Response:
    """What may be asked here; the same whether there is such a viewer."""
    return _options(request)


def _options(request: web.Request) -> web.Response:
    headers = {"Allow": METHODS}
    if "Access-Control-Request-Method" in request.headers:
        headers |= request.app[SIGNALLING].origins.preflight(request.headers.get("Origin"), METHODS)
    return web.Response(status=204, headers=headers)


def _take(report: PaintedReport, receipts: Receipts, identify: Identify, ledger: Ledger, now: float) -> tuple[int, int]:
    """Put what is believed into the ledger; gives how many pictures count, and how many are not believed."""
    taken = ignored = 0
    if report.offset is None or report.round_trip is None:
        return taken, ignored
    slack = report.round_trip / MILLISECONDS / 2
    # Seconds to add to what the page says.
    offset = receipts.began_at + report.offset / MILLISECONDS
    on_its_way = now - (report.sent / MILLISECONDS + offset)
    if not (2 * slack <= ROUND_TRIP and -slack - SLACK <= on_its_way <= ON_ITS_WAY):
        ledger.disbelieved("clock", len(report.frames))
        return taken, len(report.frames)
    for named, received, seen in report.frames:
        receipt = receipts.take(
            identify(named),
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


def _told(at: float, began_at: float) -> float:
    """A moment by the session's clock."""
    return round((at - began_at) * MILLISECONDS, 3)
