"""What a request shows of who asks: a bearer token, a link's seal, the session's cookie, a trusted proxy's word.

Or what another replica of the cluster says, and then nothing else counts.

Tokens are read from `Authorization` alone. In an address they would stand in logs and histories.
"""

from aiohttp import web

from streamer.access.credential import Credential, LinkSeal, ProxyWord, digest
from streamer.access.link import target_of
from streamer.http.keys import PROXIES
from streamer.http.needs import GATE, PASSED
from streamer.http.proxy_sign_on import ProxySignOn
from streamer.http.session_cookie import session_of

SEAL = frozenset({"until", "by", "signature"})
"""What a signed link has in its query."""
MAX_UNTIL_DIGITS = 12


def credential_of(request: web.Request) -> Credential:
    """All of it.

    Raises:
        Refused: 400, a trusted proxy names nobody whom one could name.
    """
    if PASSED in request:
        return Credential(passed=request[PASSED].principal)
    return Credential(_token(request), _seal(request), session_of(request), _word(request))


def unsealed(request: web.Request) -> dict[str, str]:
    """What is in its query beside a seal."""
    query = dict(request.query)
    return {key: value for key, value in query.items() if key not in SEAL} if query.keys() >= SEAL else query


def _word(request: web.Request) -> ProxyWord | None:
    rules = request.app[GATE].rules
    if rules.user_header is None:
        return None
    return ProxySignOn(request.app[PROXIES], rules.user_header, rules.groups_header or None).said(request)


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
    if any(len(request.query.getall(key, ())) > 1 for key in ("from", "to", "stream")):
        return None  # one of them is not what was signed
    path = target_of(request.path.removeprefix(request.app[PROXIES].base_path), request.query)
    return LinkSeal(path, int(until), request.query["by"], request.query["signature"])
