"""Which headers go on from one replica to another, and back. Pure.

There go those that a route may read of whoever asks. What he shows of himself stays here: the other replica is told who
he is. Back come all but those that are about one connection (RFC 9110 section 7.6.1), or that each server says itself.
"""

from multidict import CIMultiDict, MultiMapping

ASKED = (
    "Accept",
    "Accept-Encoding",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "Origin",
    "Range",
    "User-Agent",
)
"""What goes there."""
OF_A_CONNECTION = (
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
)
OUR_OWN = ("Date", "Server", "Set-Cookie", "Strict-Transport-Security", "Vary")
"""What comes from there, and is said by who is asked; cookies are of the host that a browser knows."""


def passed_there(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Those of a request that go on."""
    return CIMultiDict((name, line) for name in ASKED for line in headers.getall(name, []))


def handshake(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Those of a request for a WebSocket that go on: it has no content there."""
    return CIMultiDict((name, line) for name, line in passed_there(headers).items() if not name.startswith("Content-"))


def passed_back(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Those of an answer that go back."""
    named = {name.strip().lower() for line in headers.getall("Connection", []) for name in line.split(",")}
    kept_here = named.union(name.lower() for name in (*OF_A_CONNECTION, *OUR_OWN))
    return CIMultiDict((name, line) for name, line in headers.items() if name.lower() not in kept_here)
