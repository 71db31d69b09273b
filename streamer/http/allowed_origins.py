"""Which web pages may make a browser do something here: our own, and those of the origins configured. Pure.

Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`, and are none of this file's business.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

ANY = "*"
LOOPBACK = ("localhost", "127.0.0.1", "::1")

EXPOSED = "ETag, Link, Location, Accept-Patch, Accept-Post, Retry-After"
ALLOWED_HEADERS = "Authorization, Content-Type, If-Match"
PREFLIGHT_SECONDS = 600


class AllowedOrigins:
    """The rule for one server."""

    def __init__(self, allowed: Sequence[str], *, on_loopback: bool) -> None:
        """Allow pages of these origins, such as "https://example.org", or of any for "*", beside our own.

        Args:
            allowed: the origins.
            on_loopback: whether the server can be reached from its own machine alone.
        """
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._on_loopback = on_loopback

    def is_listed(self, origin: str | None) -> bool:
        """Whether the configuration names this origin."""
        return origin is not None and (ANY in self._allowed or origin.lower() in self._allowed)

    def may_change(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something may come from the page that sent it.

        `Sec-Fetch-Site` holds behind any proxy and no page can forge it, but browsers send it to secure pages only.
        Without it the page's host must be the one that was asked; and a server on loopback must have been asked by a
        name of loopback, or any name could be made to mean 127.0.0.1 (DNS rebinding).
        """
        origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
        if self.is_listed(origin):
            return True
        if site is not None:
            return site in ("same-origin", "none")
        if origin is None:
            return True
        host = headers.get("Host", "")
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:  # half a bracket of an IPv6 address
            return False
        return origin.partition("://")[2].lower() == host.lower() and (not self._on_loopback or name in LOOPBACK)

    def cors(self, origin: str | None) -> dict[str, str]:
        """The headers by which a browser lets a page of that origin read an answer (Fetch standard, section 3.3)."""
        if origin is None or not self.is_listed(origin):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED, "Vary": "Origin"}

    def preflight(self, origin: str | None, methods: str) -> dict[str, str]:
        """The headers of the answer to a preflight; none for a page that may not."""
        headers = self.cors(origin)
        if headers:
            headers |= {
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            }
        return headers
