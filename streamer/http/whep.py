"""The routes of WHEP: viewers come and go (draft-ietf-wish-whep)."""

from typing import TYPE_CHECKING

from aiohttp import web

from streamer.access.action import Action
from streamer.http.admissions import ADMISSIONS
from streamer.http.keys import SIGNALLING, STREAMS, location, pipeline_of
from streamer.http.needs import PRINCIPAL, needs, shown_by
from streamer.http.operation import described
from streamer.http.signalling import (
    CREATED,
    ENDPOINT_METHODS,
    ENDPOINT_OPTIONS,
    FURTHER,
    IF_MATCH,
    NOT_OFFERED,
    OFFER,
    SDP,
    SESSION_METHODS,
    SESSION_OPTIONS,
    TRICKLED,
    patch,
    read_offer_text,
)
from streamer.values.errors import Refused

if TYPE_CHECKING:
    from streamer.webrtc.viewer import Viewer

routes = web.RouteTableDef()

ENDPOINT, SESSION = "/whep/{name}", "/whep/{name}/{session}"


@routes.post(ENDPOINT)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({201: CREATED, **NOT_OFFERED}, body=OFFER)
async def offer(request: web.Request) -> web.Response:
    """A viewer's offer (section 4.2)."""
    pipeline = pipeline_of(request)
    text = await read_offer_text(request)
    streams = request.app[STREAMS]
    session, answer = await streams.open_session(pipeline, text, request.remote or "")
    request.app[ADMISSIONS].admit(
        session.id,
        shown_by(request),
        Action.VIEW,
        pipeline.name,
        end=session.close,
        lasts=lambda: session.id in streams.sessions,
    )
    return request.app[SIGNALLING].created(session, answer, location(request, f"/whep/{pipeline.name}/{session.id}"))


@routes.get(ENDPOINT)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({204: None})
async def endpoint(request: web.Request) -> web.Response:
    """GET says nothing, HEAD that viewers' offers are taken here."""
    pipeline_of(request)
    if request.method == "HEAD":
        return web.Response(content_type=SDP)
    return web.Response(status=204)


@routes.options(ENDPOINT)
@needs(None)
@described({204: ENDPOINT_OPTIONS})
async def endpoint_options(request: web.Request) -> web.Response:
    """What may be asked for here, and the ICE servers."""
    return request.app[SIGNALLING].options(request, methods=ENDPOINT_METHODS)


@routes.patch(SESSION)
@needs(Action.VIEW, stream="name", at_owner=True)
@described(TRICKLED, body=FURTHER, headers=IF_MATCH)
async def trickle(request: web.Request) -> web.Response:
    """A viewer's further candidates."""
    return await patch(request, session_of(request))


@routes.delete(SESSION)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: None})
async def end(request: web.Request) -> web.Response:
    """The viewer leaves."""
    await session_of(request).close()
    return web.Response(status=200)


@routes.get(SESSION)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({204: None})
async def session(request: web.Request) -> web.Response:
    """A session has no content."""
    session_of(request)
    return web.Response(status=204)


@routes.options(SESSION)
@needs(None)
@described({204: SESSION_OPTIONS})
async def session_options(request: web.Request) -> web.Response:
    """What may be asked of a session; the same whether there is one."""
    return request.app[SIGNALLING].options(request, methods=SESSION_METHODS)


def session_of(request: web.Request) -> "Viewer":
    """The session a request names, for who began it."""
    found = request.app[STREAMS].sessions.get(request.match_info["session"])
    is_his = found is not None and request.app[ADMISSIONS].is_of(found.id, request[PRINCIPAL])
    if found is None or not is_his or found.stream != request.match_info["name"]:
        raise Refused(404, "there is no such session; it may have ended already")
    return found
