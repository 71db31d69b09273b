"""Who asks, as a proxy says who has already signed in there: Authelia, oauth2-proxy, authentik. Pure but for `said`.

Anybody may write such headers. They are read where the other end of the connection is one of `server.trusted_proxies`:
not by `X-Forwarded-For`, which says for whom a proxy asks, and which a stranger may have begun.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from streamer.access.credential import ProxyWord
from streamer.access.user_name import is_reserved, is_seen
from streamer.http.connection import peer_of
from streamer.http.trusted_proxies import TrustedProxies
from streamer.values.errors import Refused

MAX_WORD = 256
"""Characters of a user's or a group's name."""
MAX_GROUPS = 256
"""Of one user."""

_BETWEEN = re.compile(r"[,;|]")
"""Authelia and oauth2-proxy write commas between groups, authentik bars."""


class Lines(Protocol):
    """Headers of a request, each as often as it came."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Every line of that name, in order."""


@dataclass(frozen=True, slots=True)
class ProxySignOn:
    """The part of it that the configuration decides: the section `access.proxy`."""

    proxies: TrustedProxies
    user_header: str
    groups_header: str | None = None

    def said(self, request: web.Request) -> ProxyWord | None:
        """Who asks, as the proxy says that asks for him; None: it names nobody, or is none of ours.

        Raises:
            Refused: 400, as `word`.
        """
        return self.word(peer_of(request), request.headers)

    def word(self, peer: str, headers: Lines) -> ProxyWord | None:
        """The same of a request's headers.

        Args:
            peer: the address at the other end of the connection; "" where there is none.
            headers: all of them, as aiohttp decodes them.

        Raises:
            Refused: 400, what a proxy of ours says is no name, or is said twice: a stranger's own line beside it.
        """
        if peer not in self.proxies:
            return None
        user = _only(self.user_header, headers)
        if not user:
            return None
        said = "" if self.groups_header is None else _only(self.groups_header, headers)
        groups = tuple(filter(None, map(str.strip, _BETWEEN.split(said))))
        if len(groups) > MAX_GROUPS:
            raise Refused(400, f"the proxy names more than {MAX_GROUPS} groups in {self.groups_header}")
        if is_reserved(name := _name(user, self.user_header)):
            raise Refused(400, f"what the proxy says in {self.user_header} is nobody's name: the audit calls others so")
        return ProxyWord(name, tuple(_name(each, str(self.groups_header)) for each in groups))


def _only(header: str, headers: Lines) -> str:
    """What a header says; "" where it is not there."""
    lines = headers.getall(header, [])
    if len(lines) > 1:
        raise Refused(
            400, f"there are {len(lines)} lines {header}; the proxy must take away what strangers write there"
        )
    return lines[0].strip() if lines else ""


def _name(said: str, header: str) -> str:
    """A name that may stand in the audit: not what is invisible there, nor what was no UTF-8; and not the proxy's own
    word for a name that is missing: Caddy 2.6 then says {http.reverse_proxy.header.Remote-User}.
    """
    if len(said) > MAX_WORD or not is_seen(said) or said[0] + said[-1] == "{}":
        raise Refused(400, f"what the proxy says in {header} is no name of at most {MAX_WORD} printable characters")
    return said
