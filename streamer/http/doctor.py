"""`POST /api/doctor`: a camera examined, for whoever may add streams."""

import asyncio
from typing import Annotated, Any

from aiohttp import web

from streamer.access.action import Action
from streamer.control.stream_bodies import examination
from streamer.http.audit import note
from streamer.http.body import JSON, settings_of
from streamer.http.gate import require
from streamer.http.keys import PRACTICE, STREAM_CHANGES, no_stream
from streamer.http.needs import needs
from streamer.http.operation import Answer, Later, described
from streamer.values.errors import ConfigError, Refused
from streamer.values.url import redact

LONGEST = 1280
"""Pixels of the longer side of the picture in an answer: it is for a page, and 4K would be megabytes."""

routes = web.RouteTableDef()


def _report() -> object:
    """The shape of an answer. The doctor is loaded with the first camera that is examined, or with this question."""
    from streamer.doctor.report import ReportDocument

    return ReportDocument


@routes.post("/api/doctor")
@needs(Action.OPERATE)
@described(
    {
        200: Annotated[Any, Later(_report)],
        404: "there is no stream of that name",
        409: "the stream waits for its camera to push, at a port where nobody else can",
        422: "a setting that cannot be",
        503: Answer(means="as many cameras as may be are being examined already", headers=("Retry-After",)),
    },
    body=Annotated[Any, Later(examination)],
)
async def examine(request: web.Request) -> web.Response:
    """Examine the camera at a URL. What is wrong with it is the answer, and no refusal: 200 all the same."""
    stream_changes = request.app[STREAM_CHANGES]
    stream_changes.require_allowed()
    settings = await settings_of(request, JSON)
    named = settings.get("stream")
    if isinstance(named, str):
        require(request, Action.OPERATE, named)
        if not stream_changes.has(named):
            raise no_stream(request)
    wants_still = settings.pop("still", False)
    if not isinstance(wants_still, bool):
        raise Refused(422, "still: is not allowed; it must be true or false")
    practice = request.app[PRACTICE]
    try:
        target, sample_fps = practice.case_of(settings)
    except ConfigError as error:
        raise Refused(422, str(error)) from None
    note(request, "camera examine", named if isinstance(named, str) else redact(target.url))
    report = await practice.examine(target, sample_fps)
    still = await asyncio.to_thread(report.still, LONGEST) if wants_still else None
    return web.json_response(report.document(still), headers={"Cache-Control": "no-store"})
