"""What browsers are told with every answer: what a page of ours may do, who may frame it, and what may be kept.

The answers of routes that need an action are somebody's own: they are kept nowhere, and differ by what was shown.
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

from streamer.http.keys import SIGNALLING
from streamer.http.needs import need_of

ALLOWED_FEATURES = ("camera", "clipboard-write", "fullscreen", "screen-wake-lock")
"""What the page asks a browser for: to publish, to copy a command, and to show one video."""
REFUSED_FEATURES = ("display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
YEAR = 365 * 24 * 3600


SECURITY_HEADERS: web.AppKey[Mapping[str, str]] = web.AppKey("security_headers", Mapping)
"""Those that are the same for every answer."""


def security_headers(frame_ancestors: Sequence[str] = ("self",)) -> dict[str, str]:
    """Those, for pages that pages of these origins may frame; "self" are our own."""
    features = [f"{each}=(self)" for each in ALLOWED_FEATURES] + [f"{each}=()" for each in REFUSED_FEATURES]
    return {
        "Content-Security-Policy": content_policy(frame_ancestors),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": ", ".join(features),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def content_policy(frame_ancestors: Sequence[str]) -> str:
    """`Content-Security-Policy` (CSP level 3): nothing from elsewhere, and no script or style within a page."""
    ancestors = " ".join("'self'" if each == "self" else each for each in frame_ancestors) or "'none'"
    return (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
        f"frame-ancestors {ancestors}; base-uri 'none'; form-action 'none'"
    )


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add them to an answer that is about to be sent; what its route has set stays."""
    origins = request.app[SIGNALLING].origins
    cors = origins.cors(request.headers.get("Origin"))
    other = {"Cross-Origin-Resource-Policy": origins.resource_policy, **cors}
    for name, value in (*request.app[SECURITY_HEADERS].items(), *other.items()):
        response.headers.setdefault(name, value)
    need = need_of(request.match_info.handler)
    if need is not None and need.action is not None:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Vary"] = ", ".join(filter(None, (response.headers.get("Vary"), "Authorization, Cookie")))
    response.headers.setdefault("Cache-Control", "no-cache")
    if has_host_to_itself(request):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    response.headers.popall("Server", None)  # versions, of Python's too, are nobody's business


def has_host_to_itself(request: web.Request) -> bool:
    """Whether TLS may be asked of the whole host: it counts for every port (RFC 6797 section 8.3), and so where ours is
    the one that browsers ask without being told. A proxy of ours has the say for its own host.
    """
    return request.secure and ":" not in request.host.rpartition("]")[2]
