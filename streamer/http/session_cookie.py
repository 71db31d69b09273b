"""The cookie of who has signed in at a browser: what it is called, and what of it is looked up.

Browsers take a name with a prefix only from a page that came over TLS (RFC 6265bis section 4.1.3): nobody who can
write plain answers below our name can have one taken for ours.
"""

from aiohttp import web

from streamer.access.credential import digest
from streamer.http.connection import peer_of
from streamer.http.keys import PROXIES, prefix_of

PLAIN, SECURE, HOST = "sightline", "__Secure-sightline", "__Host-sightline"


def is_secure(request: web.Request) -> bool:
    """Whether the browser came over TLS: to us, or to a proxy of ours, which says so."""
    if request.secure:
        return True
    said = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
    return said == "https" and peer_of(request) in request.app[PROXIES]


def cookie_name(request: web.Request) -> str:
    """What the cookie is called where this request came from. `__Host-` goes with the path "/" alone."""
    if not is_secure(request):
        return PLAIN
    return SECURE if prefix_of(request) else HOST


def session_of(request: web.Request) -> str | None:
    """SHA-256 of the cookie, in hex; None: there is none."""
    value = request.cookies.get(cookie_name(request))
    return digest(value) if value else None


def give_cookie(request: web.Request, response: web.StreamResponse, value: str) -> None:
    """Have a browser keep it until it is closed: the server ends the session by itself.

    Only our own pages may have it sent (SameSite, RFC 6265bis section 5.5), and no script reads it.
    """
    response.set_cookie(
        cookie_name(request),
        value,
        path=_path(request),
        secure=is_secure(request),
        httponly=True,
        samesite="Strict",
    )


def take_cookie_back(request: web.Request, response: web.StreamResponse) -> None:
    """Have a browser forget it."""
    response.del_cookie(
        cookie_name(request), path=_path(request), secure=is_secure(request), httponly=True, samesite="Strict"
    )


def _path(request: web.Request) -> str:
    return prefix_of(request) or "/"
