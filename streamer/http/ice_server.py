"""A STUN or TURN server that clients are told of, and what they log in with.

A relay is worth having to anybody, so what opens it is given to sessions alone, and where the server shares a secret
with us, for a few minutes: draft-uberti-behave-turn-rest, which is coturn's `use-auth-secret`.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

LIFETIME = 300
"""Seconds in which a session may begin to use a relay; what has begun goes on."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server."""

    url: str
    username: str | None = None
    credential: str | None = None
    secret: str | None = None
    """What it shares with us, in the place of both."""

    @property
    def is_open(self) -> bool:
        """Whether it asks for nothing, so that anybody may know of it."""
        return self.username is None and self.credential is None and self.secret is None

    def link(self, now: float) -> str:
        """Its `Link` header (RFC 9725 section 4.6) for one session; `now` is in seconds since 1970, by wall clock."""
        username, credential = self.username, self.credential
        if self.secret is not None:
            username, credential = credentials(self.secret, secrets.token_hex(8), now)
        link = f'<{self.url}>; rel="ice-server"'
        if username is not None and credential is not None:
            link += f"; username={_quoted(username)}; credential={_quoted(credential)}"
            link += '; credential-type="password"'
        return link


def credentials(secret: str, name: str, now: float) -> tuple[str, str]:
    """A username and credential for who is called `name`, good for LIFETIME seconds."""
    username = f"{int(now) + LIFETIME}:{name}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110 section 5.6.4)."""
    return '"' + re.sub(r'(["\\])', r"\\\1", re.sub(r"[^\x20-\x7e]", "", text)) + '"'
