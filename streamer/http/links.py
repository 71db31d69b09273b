"""`POST /api/links`: an address that leads to a picture or a clip for a while, for who cannot say who he is."""

from urllib.parse import parse_qsl

from aiohttp import web

from streamer.access.action import Action
from streamer.access.link import (
    CLIP,
    FRAME,
    NOBODY,
    address_of,
    grants_of_maker,
    of_token,
    sealed,
    stream_of,
    with_link_key,
)
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.body import read_query
from streamer.http.bodies.link import MadeLink, NewLink
from streamer.http.bodies.recording import ClipSearch
from streamer.http.gate import require
from streamer.http.json_body import FITS, KEPT, answer, body_of
from streamer.http.keys import PROXIES, location, no_stream, stream_names
from streamer.http.needs import CREDENTIAL, PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.errors import Refused

NOWHERE = (
    "path: no link leads there; it must be /api/streams/{name}/frame.jpg, "
    "/api/streams/{name}/recordings/clip.mp4?from=…&to=… or /api/events/{id}/picture?stream={name}"
)

routes = web.RouteTableDef()


@routes.post("/api/links")
@needs(Action.VIEW)
@described(
    {
        201: MadeLink,
        403: "whoever asks may see no stream, or is known by this request alone",
        404: "for whoever asks there is no such stream",
        **FITS,
        **KEPT,
    },
    body=NewLink,
)
async def make(request: web.Request) -> web.Response:
    """Sign a link to a stream's newest picture or a clip. It opens it for as long as who made it may see the stream."""
    parts, new = request.app[ACCESS], await body_of(request, NewLink)
    path = _path(new.path.removeprefix(request.app[PROXIES].base_path))
    stream = stream_of(path)
    if stream is None:
        raise Refused(422, NOWHERE)
    require(request, Action.VIEW, stream)
    if path.endswith(FRAME) and stream not in stream_names(request.app):
        raise no_stream(request)
    by = _maker(request)
    accounts = parts.store.accounts
    if not accounts.link_key:
        accounts = await parts.store.change(with_link_key)
    seal = sealed(path, int(parts.wall()) + new.seconds, by, accounts.link_key)
    note(request, "link make", stream, detail=f"for {new.seconds} s")
    return answer(MadeLink(url=location(request, address_of(seal)), expires_at=seal.until), 201)


def _path(said: str) -> str:
    """As a link says it: a clip's times in seconds.

    Raises:
        Refused: 422 it is no span.
    """
    path, _, query = said.partition("?")
    if not path.endswith(CLIP):
        return said
    try:
        asked = read_query(ClipSearch, dict(parse_qsl(query, keep_blank_values=True)))
    except Refused as error:
        raise Refused(422, f"path: {error}") from None
    return f"{path}?from={asked.since:.3f}&to={asked.until:.3f}"


def _maker(request: web.Request) -> str:
    """By whom a link is made, in the words that say it in the link.

    Raises:
        Refused: 403 whoever asks is known by this request alone, so nobody could tell later whether he still may.
    """
    principal, accounts = request[PRINCIPAL], request.app[ACCESS].store.accounts
    if principal.kind in ("open", "nobody"):
        return NOBODY
    token = accounts.tokens.get(request[CREDENTIAL].token or "")
    by = principal.name if token is None else of_token(token.id)
    if principal.kind not in ("user", "token") or not grants_of_maker(by, accounts, request.app[ACCESS].wall()):
        raise Refused(
            403, "links are made by users and by tokens that are kept here, since they may end before the link does"
        )
    return by
