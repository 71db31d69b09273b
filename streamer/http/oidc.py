"""`/api/sign-in/oidc`: signing in at an OpenID Connect provider, and the way back from there."""

import functools
import logging
import re
from collections.abc import Awaitable, Callable
from typing import NotRequired

from aiohttp import web
from typing_extensions import TypedDict

from streamer.access.identity import Identity, identity_of
from streamer.http.audit import note
from streamer.http.keys import location
from streamer.http.leaf import leaf, wants_page
from streamer.http.needs import GATE, needs
from streamer.http.operation import Answer, Content, described
from streamer.http.session_cookie import give_cookie
from streamer.http.sign_in import begin_session
from streamer.http.sign_on import (
    BACK,
    BEGIN,
    OUT,
    SIGN_ON,
    SignOn,
    browser_of,
    new_browser,
    redirect_uri,
    return_to_of,
    send,
)
from streamer.values.errors import Overloaded, Refused

log = logging.getLogger(__name__)

LONGEST = 4096
"""Characters of a code or a state that are read."""

PAGE = Content(media=("text/html",))

routes = web.RouteTableDef()


class WayThere(TypedDict):
    """What a browser may ask for."""

    return_to: NotRequired[str]
    """The path of ours that it comes back to; not there: the page's."""


class WayBack(TypedDict):
    """What a provider has a browser bring along (RFC 6749 section 4.1.2, RFC 9207)."""

    state: NotRequired[str]
    code: NotRequired[str]
    iss: NotRequired[str]
    error: NotRequired[str]
    """Why it did not let somebody in; then there is no code."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _told(handler: Handler) -> Handler:
    """Refuse with a page, where a browser will show it."""

    @functools.wraps(handler)
    async def told(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (Refused, Overloaded) as error:
            status = error.status if isinstance(error, Refused) else 503
            if status in (502, 503):
                log.warning("signing in elsewhere failed: %s", error)
            if not wants_page(request):
                raise
            sentence = f"{str(error)[:1].upper()}{str(error)[1:]}."
            back = location(request, "/")
            return leaf(request, "Not signed in", sentence, to=back, link="Back to the page", status=status)

    return told


@routes.get(BEGIN, allow_head=False)
@needs(None)
@described(
    {
        303: Answer(means="to the provider", headers=("Location", "Set-Cookie")),
        400: "return_to is no path of ours",
        404: "nobody signs in elsewhere here",
        502: "the provider says what cannot be used",
        503: "the provider does not answer",
    },
    query=WayThere,
)
@_told
async def begin(request: web.Request) -> web.StreamResponse:
    """Sign in at the provider of `access.oidc`, and come back to the path `return_to`."""
    sign_on, return_to = _sign_on(request), return_to_of(request)
    browser = browser_of(request) or new_browser()
    pending = sign_on.pending.begin(browser, request.remote or "", redirect_uri(request), return_to)
    return send(request, await sign_on.provider.way_there(pending), browser)


@routes.get(BACK, allow_head=False)
@needs(None)
@described(
    {
        200: Answer(PAGE, "signed in; it leads on", headers=("Set-Cookie",)),
        400: "this browser began no such sign-in, or ended it before",
        403: "the provider refused, or gives him nothing here",
        404: "nobody signs in elsewhere here",
        502: "the provider says what cannot be believed",
        503: "the provider does not answer, or too many sign in",
    },
    query=WayBack,
)
@_told
async def come_back(request: web.Request) -> web.StreamResponse:
    """Where the provider sends a browser back, with a code that is redeemed for who he is."""
    sign_on, said = _sign_on(request), request.query
    pending = sign_on.pending.end(said.get("state", "")[:LONGEST], browser_of(request))
    if "error" in said:
        raise Refused(403, f"{sign_on.name} did not let you in: {_word(said['error'])}")
    code = said.get("code", "")
    if not 1 <= len(code) <= LONGEST or len(said.getall("code")) > 1:
        raise Refused(400, "the provider sent no code along")
    try:
        claims = await sign_on.provider.claims(code, said.get("iss"), pending)
    except Refused as error:
        note(request, "sign in", ok=False, detail=f"by {sign_on.name}: {error}")
        raise
    identity = identity_of(
        claims, provider=sign_on.name, name_claim=sign_on.name_claim, groups_claim=sign_on.groups_claim
    )
    secret = await _admitted(request, sign_on, identity)
    response = leaf(request, "Signed in", f"You are {identity.name}.", to=pending.return_to, link="Go on", goes_on=True)
    give_cookie(request, response, secret)
    return response


@routes.get(OUT, allow_head=False)
@needs(None)
@described(
    {
        303: Answer(means="to the provider", headers=("Location",)),
        404: "nobody signs in elsewhere here, or nobody signs out there",
        502: "the provider says what cannot be used",
        503: "the provider does not answer",
    }
)
@_told
async def go_out(request: web.Request) -> web.StreamResponse:
    """Sign out at the provider as well, where it has a page for that. The session here is `DELETE /api/session`'s."""
    sign_on = _sign_on(request)
    way = await sign_on.provider.way_out()
    if way is None:
        raise Refused(404, f"{sign_on.name} has no page to sign out")
    return web.Response(status=303, headers={"Location": way, "Cache-Control": "no-store"})


async def _admitted(request: web.Request, sign_on: SignOn, identity: Identity) -> str:
    """Let somebody in with what his groups give him; returns what his cookie is to hold.

    Raises:
        Refused: 403 they give him nothing; 503 it cannot be kept.
    """
    grants = request.app[GATE].of_groups(identity.groups)
    if not grants and sign_on.default is not None:
        grants = (sign_on.default,)
    if not grants:
        note(request, "sign in", identity.name, who=identity.name, ok=False, detail="is in none of access.groups")
        raise Refused(
            403,
            f"{identity.name} is in none of the groups that may come in here; whoever runs this service names them in"
            " access.groups",
        )
    return await begin_session(request, identity.name, grants, detail=f"by {sign_on.name}")


def _sign_on(request: web.Request) -> SignOn:
    sign_on = request.app[SIGN_ON]
    if sign_on is None:
        raise Refused(404, "nobody signs in elsewhere here: access.oidc is not configured")
    return sign_on


def _word(said: str) -> str:
    """An error's code (RFC 6749 section 4.1.2.1), which anybody may have written."""
    return said if re.fullmatch(r"[a-z_]{1,60}", said) else "without a reason"
