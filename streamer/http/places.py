"""`/api/streams/{name}/places`: zones, lines and masks of one stream, as they are drawn. docs/events.md."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import ETag, web

from streamer.access.action import Action
from streamer.control.stream_bodies import stream_places
from streamer.http.audit import note
from streamer.http.body import JSON, settings_of
from streamer.http.changes import whole
from streamer.http.keys import STREAM_CHANGES, pipeline_of
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, Later, described
from streamer.http.streams import NOT_NOW, ONE, answered_elsewhere, changeable
from streamer.values.errors import Refused

routes = web.RouteTableDef()

PLACES = Annotated[Any, Later(stream_places)]
DRAWN = Answer(Content(PLACES), headers=("ETag",))
OTHERS = "they are no longer what `If-Match` names; nothing was done"
NOWHERE: Mapping[str, Any] = {"zones": {}, "lines": {}, "masks": []}
"""Of what is published: nothing is drawn on it."""


@routes.get(f"{ONE}/places")
@needs(Action.VIEW, stream="name")
@described({200: DRAWN})
async def places(request: web.Request) -> web.StreamResponse:
    """Zones, lines and masks of a stream."""
    name, stream_changes = request.match_info["name"], request.app[STREAM_CHANGES]
    if (answer := await answered_elsewhere(request)) is not None:
        return answer
    if not stream_changes.has(name):
        pipeline_of(request)
        return _shown(NOWHERE)
    return _shown(stream_changes.places(name))


@routes.put(f"{ONE}/places")
@needs(Action.OPERATE, stream="name")
@described({200: DRAWN, 412: OTHERS, **NOT_NOW}, body=PLACES, headers={"If-Match": "the `ETag` of what is replaced"})
async def draw(request: web.Request) -> web.StreamResponse:
    """Give a stream these zones, lines and masks, in the place of all it has."""
    stream_changes = request.app[STREAM_CHANGES]
    stream_changes.require_allowed()
    if (answer := await answered_elsewhere(request)) is not None:
        return answer
    name = changeable(request)
    drawn = await settings_of(request, JSON)
    expected = request.if_match

    def require(before: Mapping[str, Any]) -> None:
        if expected is not None and ETag("*") not in expected and _tag(before) not in expected:
            raise Refused(412, f"the zones, lines and masks of {name!r} were changed by somebody else meanwhile")

    change = stream_changes.place(name, drawn, require=require)
    await whole(request, change, lambda _: note(request, "stream change", name, detail="zones, lines, masks"))
    return _shown(stream_changes.places(name))


def _shown(found: Mapping[str, Any]) -> web.Response:
    response = web.json_response(found)
    response.etag = _tag(found)
    return response


def _tag(found: Mapping[str, Any]) -> ETag:
    return ETag(hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:32])
