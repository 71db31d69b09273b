"""What the routes of access find in the application."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from streamer.access.attempts import Attempts
from streamer.access.audit import Audit
from streamer.access.password import Passwords
from streamer.access.store import Store
from streamer.access.token_uses import TokenUses


@dataclass(frozen=True, slots=True)
class AccessParts:
    """What signing in, and the pages about it, are made of."""

    store: Store
    passwords: Passwords
    attempts: Attempts
    audit: Audit
    token_uses: TokenUses
    session_seconds: float
    """How long a session lasts."""
    wall: Callable[[], float]
    """Seconds since 1970, by which sessions and tokens end."""


ACCESS: web.AppKey[AccessParts] = web.AppKey("access", AccessParts)
