"""Which web pages may make a browser do something here: our own, and those of the origins configured. Pure.

Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`, and are none of this file's business.
"""

from collections.abc import Mapping, Sequence

from streamer.http.names import Names

ANY = "*"

EXPOSED = "ETag, Link, Location, Accept-Patch, Accept-Post, Retry-After"
ALLOWED_HEADERS = "Authorization, Content-Type, If-Match"
PREFLIGHT_SECONDS = 600


class AllowedOrigins:
    """The rule for one server."""

    def __init__(self, allowed: Sequence[str], names: Names) -> None:
        """Allow pages of these origins, such as "https://example.org", or of any for "*", beside our own.

        Args:
            allowed: the origins.
            names: that our own pages may have.
        """
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._names = names

    @property
    def resource_policy(self) -> str:
        """Which pages may show what is here without asking: `Cross-Origin-Resource-Policy` (Fetch standard, 3.7)."""
        return "cross-origin" if ANY in self._allowed else "same-origin"

    def is_listed(self, origin: str | None) -> bool:
        """Whether the configuration names this origin."""
        return origin is not None and (ANY in self._allowed or origin.lower() in self._allowed)

    def may_change(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something may come from the page that sent it.

        `Sec-Fetch-Site` holds behind any proxy and no page can forge it, but browsers send it to secure pages only.
        Without it the page's host must be the one that was asked; or, where a proxy asks us by another, one of those
        that are configured.
        """
        origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
        if self.is_listed(origin):
            return True
        if site is not None:
            return site in ("same-origin", "none")
        if origin is None:
            return True
        shown, asked = origin.partition("://")[2].lower(), headers.get("Host", "").lower()
        return self._names.lists(shown) or (shown == asked and self._names.may_be(asked))

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
