"""What a request shows of who asks, in a form that may be kept for as long as what it asked for lasts. Pure.

Secrets stand in it as SHA-256: they are 256 random bits, so that a slow hash would protect nothing more.
"""

import hashlib
import secrets
from dataclasses import dataclass

from streamer.access.principal import Principal


@dataclass(frozen=True, slots=True)
class ProxyWord:
    """Who asks, as a trusted proxy says."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkSeal:
    """What a signed link shows beside its path."""

    path: str
    """What it leads to: of a clip its span too."""
    until: int
    """UTC, seconds since 1970."""
    by: str
    """The name of the user or token it was made by, who must still be allowed to see what it shows."""
    signature: str


@dataclass(frozen=True, slots=True)
class Credential:
    """One request's. The first that is there counts, in this order."""

    token: str | None = None
    """SHA-256 of a bearer token (RFC 6750), in hex."""
    link: LinkSeal | None = None
    session: str | None = None
    """SHA-256 of the session cookie, in hex."""
    proxy: ProxyWord | None = None
    passed: Principal | None = None
    """As another replica of the cluster says, which knows him; then there is nothing else."""


NOTHING = Credential()

TOKEN_PREFIX = "slt_"  # noqa: S105  no secret
"""What a token begins with, for whoever looks for such in files that should hold none."""


def new_token() -> str:
    """The secret of a new token: 256 bits, in 47 characters."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """How a token or a session's cookie is stored and looked up."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
