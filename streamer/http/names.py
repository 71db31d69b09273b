"""The names a service may be asked by. Pure.

A page of anybody's may have its own name mean our address (DNS rebinding); its browser then takes what we answer for
that page's own, and asks nobody before it reads or changes anything. No name of a stranger's is an address, or one of
loopback's names, which browsers look up nowhere (RFC 6761 section 6.3).
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address

LOOPBACK = "localhost"

_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s\[\]:/?#@]+))(?::[0-9]*)?", re.IGNORECASE)


class Names:
    """The rule for one server."""

    def __init__(self, names: Iterable[str], host: str | None = None) -> None:
        """Go by these names, such as "cameras.example.org", beside those everybody has.

        Args:
            names: as configured. An address among them is a proxy's, of whose pages nothing else tells us.
            host: where we listen; one of our names, if it is a name.
        """
        ours = (*names, host) if host is not None and not _is_address(host) else names
        self._names = frozenset(name.lower().rstrip(".") for name in ours)

    def may_be(self, authority: str) -> bool:
        """Whether a request may be for this host, such as "10.0.0.7:8000" or "[::1]"."""
        name = name_of(authority)
        if name is None:
            return False
        return _is_address(name) or name == LOOPBACK or name.endswith(f".{LOOPBACK}") or name in self._names

    def lists(self, authority: str) -> bool:
        """Whether the configuration names this host."""
        return name_of(authority) in self._names


def name_of(authority: str) -> str | None:
    """The name or address in an authority (RFC 3986 section 3.2), as one writes it by itself; None: there is none."""
    parts = _AUTHORITY.fullmatch(authority)
    return None if parts is None else (parts[1] or parts[2].removesuffix(".")).lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
