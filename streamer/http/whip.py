"""The routes of WHIP: publishers come and go (RFC 9725)."""

from aiohttp import web

from streamer.http.keys import SIGNALLING, STREAMS, location
from streamer.http.signalling import ENDPOINT_METHODS, SESSION_METHODS, patch, read_offer_text
from streamer.values.errors import Refused
from streamer.webrtc.publisher import Publisher

routes = web.RouteTableDef()

ENDPOINT, SESSION = "/whip/{name}", "/whip/{name}/{session}"


@routes.post(ENDPOINT)
async def offer(request: web.Request) -> web.Response:
    """A publisher's offer (section 4.2)."""
    name = request.match_info["name"]
    streams = request.app[STREAMS]
    streams.publishing_rights.require_token(request.headers.get("Authorization"))
    streams.publishing_rights.require_name(name)
    text = await read_offer_text(request)
    publisher, answer = await streams.open_publisher(name, text, request.remote or "")
    return request.app[SIGNALLING].created(publisher, answer, location(request, f"/whip/{name}/{publisher.id}"))


@routes.get(ENDPOINT)
async def endpoint(request: web.Request) -> web.Response:
    """Nothing: an endpoint has no content (section 4.1)."""
    request.app[STREAMS].publishing_rights.require_token(request.headers.get("Authorization"))
    return web.Response(status=204)


@routes.options(ENDPOINT)
async def endpoint_options(request: web.Request) -> web.Response:
    """What may be asked for here, and the ICE servers for who may publish."""
    if "Access-Control-Request-Method" not in request.headers:  # a preflight carries no token
        request.app[STREAMS].publishing_rights.require_token(request.headers.get("Authorization"))
    return request.app[SIGNALLING].options(request, methods=ENDPOINT_METHODS)


@routes.patch(SESSION)
async def trickle(request: web.Request) -> web.Response:
    """A publisher's further candidates."""
    return await patch(request, _publisher(request))


@routes.delete(SESSION)
async def end(request: web.Request) -> web.Response:
    """The publisher leaves, and its stream with it."""
    await request.app[STREAMS].close_publisher(_publisher(request))
    return web.Response(status=200)


@routes.get(SESSION)
async def session(request: web.Request) -> web.Response:
    """A session has no content."""
    _publisher(request)
    return web.Response(status=204)


@routes.options(SESSION)
async def session_options(request: web.Request) -> web.Response:
    """What may be asked of a session; the same whether there is one."""
    return request.app[SIGNALLING].options(request, methods=SESSION_METHODS)


@routes.get("/api/ingress")
async def who_may(request: web.Request) -> web.Response:
    """What a page needs to know before it offers to publish."""
    publishing_rights = request.app[STREAMS].publishing_rights
    return web.json_response({"names": list(publishing_rights.names), "token": publishing_rights.token is not None})


def _publisher(request: web.Request) -> Publisher:
    """The session a request names; with a token configured, only for who shows it."""
    request.app[STREAMS].publishing_rights.require_token(request.headers.get("Authorization"))
    found = request.app[STREAMS].publishers.get(request.match_info["session"])
    if found is None or found.name != request.match_info["name"]:
        raise Refused(404, "there is no such session; it may have ended already")
    return found
