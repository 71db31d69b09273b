"""What a request shows of who asks: a bearer token, a link's seal, the session's cookie, a trusted proxy's word.

Tokens are read from `Authorization` alone. In an address they would stand in logs and histories.
"""

from aiohttp import web

from streamer.access.credential import Credential, LinkSeal, digest
from streamer.http.keys import PROXIES
from streamer.http.proxy_sign_on import ProxySignOn
from streamer.http.session_cookie import session_of

PROXY_SIGN_ON: web.AppKey[ProxySignOn | None] = web.AppKey("proxy_sign_on", ProxySignOn)
"""None: no proxy says who asks."""

SEAL = frozenset({"until", "by", "signature"})
"""What a signed link has in its query."""
MAX_UNTIL_DIGITS = 12


def credential_of(request: web.Request) -> Credential:
    """All of it.

    Raises:
        Refused: 400, a trusted proxy names nobody whom one could name.
    """
    sign_on = request.app[PROXY_SIGN_ON]
    return Credential(
        token=_token(request),
        link=_seal(request),
        session=session_of(request),
        proxy=None if sign_on is None else sign_on.said(request),
    )


def _token(request: web.Request) -> str | None:
    """SHA-256 of the bearer token (RFC 6750 section 2.1). Other schemes are for a proxy before us."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return digest(shown.strip()) if scheme.lower() == "bearer" else None


def _seal(request: web.Request) -> LinkSeal | None:
    if not request.query_string or not request.query.keys() >= SEAL:
        return None
    until = request.query["until"]
    if not (until.isascii() and until.isdigit() and len(until) <= MAX_UNTIL_DIGITS):
        return None
    path = request.path.removeprefix(request.app[PROXIES].base_path)
    return LinkSeal(path, int(until), request.query["by"], request.query["signature"])
