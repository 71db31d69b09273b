"""`POST /api/doctor`: a camera examined, for whoever may add streams."""

import asyncio
import json
from typing import Any

from aiohttp import web

from streamer.doctor.practice import Practice
from streamer.errors import ChangeError, ConfigError
from streamer.keys import ADMINISTRATION

PRACTICE: web.AppKey[Practice] = web.AppKey("practice", Practice)

routes = web.RouteTableDef()


@routes.post("/api/doctor")
async def examine(request: web.Request) -> web.Response:
    """Examine the camera at a URL. What is wrong with it is the answer, and no refusal: 200 all the same."""
    request.app[ADMINISTRATION].require_allowed(request.headers.get("Authorization"))
    settings = await _settings(request)
    wants_still = settings.pop("still", False)
    if not isinstance(wants_still, bool):
        raise ChangeError(422, "still: is not allowed; it must be true or false")
    practice = request.app[PRACTICE]
    try:
        target = practice.target_of(settings)
    except ConfigError as error:
        raise ChangeError(422, str(error)) from None
    report = await practice.examine(target)
    still = await asyncio.to_thread(report.still) if wants_still else None
    return web.json_response(report.document(still), headers={"Cache-Control": "no-store"})


async def _settings(request: web.Request) -> dict[str, Any]:
    """The JSON mapping a request carries; other types are those a browser sends for any page.

    Raises:
        ChangeError: 415 it is of another type, 400 it is no JSON mapping.
    """
    if request.content_type != "application/json":
        raise ChangeError(415, f"the body must be application/json, not {request.content_type}")
    try:
        document = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise ChangeError(400, "the body is not JSON") from None
    if not isinstance(document, dict):
        raise ChangeError(400, f"the body must be a mapping, not {type(document).__name__}")
    return document
