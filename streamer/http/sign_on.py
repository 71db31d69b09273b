"""Signing in at an OpenID Connect provider: what the configuration decides of it, and how browsers go between."""

import re
import secrets
from dataclasses import dataclass

from aiohttp import web

from streamer.access.pending import LASTS, PendingSignIns
from streamer.access.principal import Grant
from streamer.access.provider import Provider
from streamer.http.connection import peer_of
from streamer.http.keys import PROXIES, SIGNALLING, location, prefix_of
from streamer.http.session_cookie import cookie_name, is_secure
from streamer.values.errors import Refused

BEGIN = "/api/sign-in/oidc"
BACK = f"{BEGIN}/callback"
OUT = f"{BEGIN}/sign-out"

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_LOCAL = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]{0,500}")
"""Nothing that a browser reads as another host: no second slash, no backslash, nothing that it leaves out."""


@dataclass(frozen=True, slots=True)
class SignOn:
    """The section `access.oidc`."""

    provider: Provider
    pending: PendingSignIns
    name: str
    """What the provider is called here."""
    name_claim: str
    groups_claim: str
    default: Grant | None = None
    """What whoever is in no group of ours may; None: he may not come in."""


SIGN_ON: web.AppKey[SignOn | None] = web.AppKey("sign_on", SignOn)
"""None: nobody signs in elsewhere."""


def browser_of(request: web.Request) -> str:
    """By which a browser is known again when it comes back; "" where it shows nothing of ours.

    One value does for all that a browser begins, or its second tab would make it forget the first.
    """
    shown = request.cookies.get(_cookie(request), "")
    return shown if _COOKIE.fullmatch(shown) else ""


def new_browser() -> str:
    """The same for one that shows nothing yet."""
    return secrets.token_urlsafe(32)


def send(request: web.Request, to: str, browser: str) -> web.Response:
    """Send a browser to the provider, with something to be known again by.

    That goes with it when another's page sends it back here, as with any link (SameSite=Lax).
    """
    response = web.Response(status=303, headers={"Location": to, "Cache-Control": "no-store"})
    response.set_cookie(
        _cookie(request),
        browser,
        max_age=int(LASTS),
        path=prefix_of(request) or "/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax",
    )
    return response


def return_to_of(request: web.Request) -> str:
    """Where a browser is sent at the end: what it asks for, else our page.

    Raises:
        Refused: 400 that is no path of ours.
    """
    asked = request.query.get("return_to")
    if asked is None:
        return location(request, "/")
    if not _LOCAL.fullmatch(asked):
        raise Refused(400, "return_to: must be a path of this service, such as /")
    return asked


def redirect_uri(request: web.Request) -> str:
    """Where the provider sends a browser back: as the browser finds us, which it must know beforehand.

    Raises:
        Refused: 421 a proxy of ours says that it found us by a name that is none of ours.
    """
    host, said = request.host, request.headers.get("X-Forwarded-Host")
    if said is not None and peer_of(request) in request.app[PROXIES]:
        host = said.rpartition(",")[2].strip()
        request.app[SIGNALLING].require_own(host)
    return f"{'https' if is_secure(request) else 'http'}://{host}{location(request, BACK)}"


def _cookie(request: web.Request) -> str:
    return f"{cookie_name(request)}-sign-in"
