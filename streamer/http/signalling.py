"""What WHEP and WHIP have in common over HTTP: offers in, answers out, candidates, ICE servers, and who may ask.

RFC 9725 for publishers, draft-ietf-wish-whep for viewers, RFC 8288 for `Link`. Refusals are `Refused`s, which the
application answers as problem details.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

from streamer.http.allowed_origins import AllowedOrigins
from streamer.http.body import read_body
from streamer.http.ice_server import IceServer
from streamer.http.names import Names
from streamer.http.operation import Answer, Content
from streamer.values.errors import Refused
from streamer.webrtc import MAX_OFFER

if TYPE_CHECKING:
    from streamer.webrtc.session import Session

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
ENDPOINT_METHODS = "GET, HEAD, OPTIONS, POST"
SESSION_METHODS = "DELETE, GET, OPTIONS, PATCH"
SAFE = ("GET", "HEAD", "OPTIONS")

OFFER = Content(media=(SDP,))
CREATED = Answer(
    OFFER, "the answer to the offer; the session is at its location", ("Location", "ETag", "Accept-Patch", "Link")
)
NOT_OFFERED = {
    406: "no codec known here",
    415: Answer(means="another type, or compressed", headers=("Accept-Post", "Accept-Encoding")),
    422: "more than one video, another direction, a data channel, no `a=rtcp-mux`",
    503: Answer(means="all places are taken, or too many are on their way", headers=("Retry-After",)),
}
"""Why there is no session."""
TRICKLED: dict[int, object] = {
    204: None,
    412: "the `If-Match` names another ICE session",
    415: Answer(means="another type, or compressed", headers=("Accept-Patch", "Accept-Encoding")),
    422: "an ICE restart",
    428: "there is no `If-Match`",
}
FURTHER = Content(media=(FRAGMENT,))
IF_MATCH = {"If-Match": "the `ETag` of the answer to the offer"}
ENDPOINT_OPTIONS = Answer(
    means="what may be asked here, and unless it is a preflight the ICE servers without a login",
    headers=("Allow", "Accept-Post", "Link"),
)
SESSION_OPTIONS = Answer(means=ENDPOINT_OPTIONS.means, headers=("Allow", "Accept-Patch", "Link"))


class Signalling:
    """The part of it that the configuration decides."""

    def __init__(
        self,
        names: Names,
        origins: AllowedOrigins,
        ice_servers: tuple[IceServer, ...],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin.

        Args:
            names: those we go by.
            origins: pages that may do something.
            ice_servers: those that clients are told of.
            wall: seconds since 1970, by which relays count.
        """
        self.origins = origins
        self._names = names
        self._ice_servers = ice_servers
        self._wall = wall

    def require_name(self, request: web.Request) -> None:
        """Refuse what is meant for a host of another name; only HTTP/1.0 need not say which it means.

        Raises:
            Refused: 421, or 400 where it says none or several.
        """
        hosts = request.headers.getall("Host", [])
        if len(hosts) > 1 or (not hosts and request.version >= HttpVersion11):  # RFC 9112 section 3.2
            raise Refused(400, "the request must name one host")
        for host in {*hosts, request.host} if hosts else ():  # the target may name another, and it is that which counts
            self.require_own(host)

    def require_own(self, host: str) -> None:
        """Refuse a host that is called otherwise than we are.

        Raises:
            Refused: 421.
        """
        if not self._names.may_be(host):
            raise Refused(421, f"this service does not go by the name {host[:80]!r}; server.names lists its names")

    def require_origin(self, request: web.Request) -> None:
        """Refuse what a foreign page made a browser send: what changes something, and WebSockets, which it could read.

        Raises:
            Refused: 403.
        """
        is_safe = request.method in SAFE and "Upgrade" not in request.headers
        if not is_safe and not self.origins.may_change(request.headers):
            origin = request.headers.get("Origin", "unknown origin")[:80]
            raise Refused(
                403,
                f"a page of {origin} may not do this; its host is none of server.names, nor is it in server.origins",
            )

    def created(self, session: "Session", answer: str, location: str) -> web.Response:
        """201, with the answer and where the session is."""
        response = web.Response(status=201, text=answer, content_type=SDP)
        response.headers["Location"] = location
        response.headers["ETag"] = session.etag
        response.headers["Accept-Patch"] = FRAGMENT
        self._add_links(response, self._ice_servers)
        return response

    def options(self, request: web.Request, *, methods: str) -> web.Response:
        """The answer to OPTIONS, with the ICE servers that are open to anybody.

        Those that ask for a login are told with a session. A preflight learns of none (RFC 9725 section 4.6).
        """
        response = web.Response(status=204, headers={"Allow": methods})
        if "POST" in methods:
            response.headers["Accept-Post"] = SDP
        else:
            response.headers["Accept-Patch"] = FRAGMENT
        if "Access-Control-Request-Method" in request.headers:
            response.headers.update(self.origins.preflight(request.headers.get("Origin"), methods))
        else:
            self._add_links(response, tuple(server for server in self._ice_servers if server.is_open))
        return response

    def _add_links(self, response: web.Response, servers: tuple[IceServer, ...]) -> None:
        for server in servers:
            response.headers.add("Link", server.link(self._wall()))


async def read_offer_text(request: web.Request) -> str:
    """The body of a POST.

    Raises:
        Refused: 415 it is no SDP, 400 it is no text, 413 it is too large.
    """
    if request.content_type != SDP:
        raise Refused(415, f"the offer must be {SDP}, not {request.content_type}", {"Accept-Post": SDP})
    return await _text(request)


async def patch(request: web.Request, session: "Session") -> web.Response:
    """Candidates that trickle in (RFC 9725 section 4.3).

    Raises:
        Refused: 415 another type, 428 no entity tag, 412 another one, 422 an ICE restart, 400 malformed.
    """
    if request.content_type != FRAGMENT:
        sentence = f"a session is patched with {FRAGMENT}, not {request.content_type}"
        raise Refused(415, sentence, {"Accept-Patch": FRAGMENT})  # RFC 5789 section 2.2
    wanted = request.headers.get("If-Match")
    if wanted is None:
        raise Refused(428, "If-Match is missing; it carries the ETag of the answer")
    from streamer.webrtc.sdp import read_fragment  # loaded with the session

    fragment = read_fragment(await _text(request))
    tags = [tag.strip() for tag in wanted.split(",")]
    if "*" not in tags and session.etag not in tags:
        raise Refused(412, "If-Match names another ICE session than this one")
    session.trickle(fragment)
    return web.Response(status=204)


async def _text(request: web.Request) -> str:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "the body is taken as it is, not compressed", {"Accept-Encoding": "identity"})
    if request.content_length is not None and request.content_length > MAX_OFFER:
        raise Refused(413, f"the body is larger than {MAX_OFFER // 1024} KiB")
    try:
        return (await read_body(request)).decode(request.charset or "utf-8")
    except web.HTTPRequestEntityTooLarge:
        raise Refused(413, f"the body is larger than {MAX_OFFER // 1024} KiB") from None
    except (UnicodeDecodeError, LookupError):
        raise Refused(400, "the body is not UTF-8 text") from None
