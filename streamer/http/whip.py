"""The routes of WHIP: publishers come and go (RFC 9725)."""

from typing import TYPE_CHECKING

from aiohttp import web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.control.publishing_rights import require_name
from streamer.http.admissions import ADMISSIONS
from streamer.http.audit import note
from streamer.http.keys import SIGNALLING, STREAMS, location
from streamer.http.needs import PRINCIPAL, needs, shown_by, token_helps
from streamer.http.operation import Answer, described
from streamer.http.signalling import (
    CREATED,
    ENDPOINT_METHODS,
    ENDPOINT_OPTIONS,
    FURTHER,
    IF_MATCH,
    NOT_OFFERED,
    OFFER,
    SESSION_METHODS,
    SESSION_OPTIONS,
    TRICKLED,
    patch,
    read_offer_text,
)
from streamer.values.errors import Refused

if TYPE_CHECKING:
    from streamer.webrtc.publisher import Publisher

routes = web.RouteTableDef()

ENDPOINT, SESSION = "/whip/{name}", "/whip/{name}/{session}"


class Ingress(TypedDict):
    """Who may publish."""

    names: list[str]
    """Names of streams, or patterns of them; none: nobody may."""
    token: bool
    """Whoever asks has to sign in, or to show a token, before he may publish."""


@routes.post(ENDPOINT)
@needs(Action.PUBLISH, stream="name", at_owner=True)
@described({201: CREATED, 409: Answer(means="the name is taken", headers=("Retry-After",)), **NOT_OFFERED}, body=OFFER)
async def offer(request: web.Request) -> web.Response:
    """A publisher's offer (section 4.2)."""
    name = request.match_info["name"]
    streams = request.app[STREAMS]
    streams.publishing_rights.require_name(name)
    text = await read_offer_text(request)
    publisher, answer = await streams.open_publisher(name, text, request.remote or "")
    note(request, "stream publish", name)
    request.app[ADMISSIONS].admit(
        publisher.id,
        shown_by(request),
        Action.PUBLISH,
        name,
        end=lambda: streams.close_publisher(publisher),
        lasts=lambda: publisher.id in streams.publishers,
    )
    return request.app[SIGNALLING].created(publisher, answer, location(request, f"/whip/{name}/{publisher.id}"))


@routes.get(ENDPOINT)
@needs(Action.PUBLISH, stream="name", at_owner=True)
@described({204: None})
async def endpoint(request: web.Request) -> web.Response:
    """Nothing: an endpoint has no content (section 4.1)."""
    require_name(request.match_info["name"])
    return web.Response(status=204)


@routes.options(ENDPOINT)
@needs(None)
@described({204: ENDPOINT_OPTIONS})
async def endpoint_options(request: web.Request) -> web.Response:
    """What may be asked for here, and the ICE servers."""
    return request.app[SIGNALLING].options(request, methods=ENDPOINT_METHODS)


@routes.patch(SESSION)
@needs(Action.PUBLISH, stream="name", at_owner=True)
@described(TRICKLED, body=FURTHER, headers=IF_MATCH)
async def trickle(request: web.Request) -> web.Response:
    """A publisher's further candidates."""
    return await patch(request, _publisher(request))


@routes.delete(SESSION)
@needs(Action.PUBLISH, stream="name", at_owner=True)
@described({200: None})
async def end(request: web.Request) -> web.Response:
    """The publisher leaves, and its stream with it."""
    await request.app[STREAMS].close_publisher(_publisher(request))
    return web.Response(status=200)


@routes.get(SESSION)
@needs(Action.PUBLISH, stream="name", at_owner=True)
@described({204: None})
async def session(request: web.Request) -> web.Response:
    """A session has no content."""
    _publisher(request)
    return web.Response(status=204)


@routes.options(SESSION)
@needs(None)
@described({204: SESSION_OPTIONS})
async def session_options(request: web.Request) -> web.Response:
    """What may be asked of a session; the same whether there is one."""
    return request.app[SIGNALLING].options(request, methods=SESSION_METHODS)


@routes.get("/api/ingress")
@needs(Action.VIEW)
@described({200: Ingress})
async def who_may(request: web.Request) -> web.Response:
    """What a page needs to know before it offers to publish."""
    names = list(request.app[STREAMS].publishing_rights.names)
    may: Ingress = {"names": names, "token": token_helps(request, Action.PUBLISH)}
    return web.json_response(may)


def _publisher(request: web.Request) -> "Publisher":
    """The session a request names, for who began it."""
    found = request.app[STREAMS].publishers.get(request.match_info["session"])
    is_his = found is not None and request.app[ADMISSIONS].is_of(found.id, request[PRINCIPAL])
    if found is None or not is_his or found.name != request.match_info["name"]:
        raise Refused(404, "there is no such session; it may have ended already")
    return found
