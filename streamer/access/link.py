"""A signed link: an address that leads to one picture or clip for a while, for who cannot say who he is. Pure.

It says what it leads to, until when, and by whom it was made, and is signed over all three (HMAC-SHA256, RFC 2104). Who
made it must still be allowed to see the picture when it is asked for; an outlet that was sent it must still be told.
"""

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from streamer.access.accounts import Accounts
from streamer.access.credential import LinkSeal
from streamer.access.principal import Grant
from streamer.values.name import NAME
from streamer.values.uuid7 import PATTERN

LONGEST_SECONDS = 24 * 3600
"""A link lasts a day at the most."""
NOBODY = "nobody"
"""Who did not say who he is made it: it leads where anybody may look."""

FRAME = "/frame.jpg"
"""What the path of a newest picture ends with."""
CLIP = "/recordings/clip.mp4"
"""What the path of a clip ends with."""
_TIME = r"\d{1,11}\.\d{3}"
_PICTURE = rf"/api/events/{PATTERN}/(picture|thumbnail)"
_LINKABLE = re.compile(
    rf"/api/streams/(?P<stream>{NAME})({re.escape(FRAME)}|{re.escape(CLIP)}\?from={_TIME}&to={_TIME})"
    rf"|{_PICTURE}\?stream=(?P<of>{NAME})",
    re.ASCII,
)
"""What a link may lead to: the newest picture, one span of what is recorded, or the picture of an event, of which only
the archive knows the stream. A link that says another leads nowhere: who shows it sees that stream alone."""


def stream_of(path: str) -> str | None:
    """The stream that a path shows; None: no link leads there."""
    found = _LINKABLE.fullmatch(path)
    return None if found is None else found["stream"] or found["of"]


def target_of(path: str, query: Mapping[str, str]) -> str:
    """What a request asks for, as a link says it: with a clip's span, in seconds since 1970, and an event's stream."""
    if re.fullmatch(_PICTURE, path):
        return f"{path}?stream={query.get('stream', '')}"
    return f"{path}?from={query.get('from', '')}&to={query.get('to', '')}" if path.endswith(CLIP) else path


def of_token(id_: str) -> str:
    """How a link says that a token made it. No user is called that."""
    return f"token {id_}"


def of_outlet(name: str) -> str:
    """How a link says that it was made for an outlet. No user is called that."""
    return f"outlet {name}"


def to_event(event: str, stream: str) -> tuple[str, str]:
    """The paths of an event's picture and thumbnail, as a link says them."""
    return f"/api/events/{event}/picture?stream={stream}", f"/api/events/{event}/thumbnail?stream={stream}"


def with_link_key(accounts: Accounts) -> Accounts:
    """Able to seal links: the key is made with the first."""
    return accounts if accounts.link_key else replace(accounts, link_key=secrets.token_hex(32))


def sealed(path: str, until: int, by: str, key: str) -> LinkSeal:
    """The seal of a link.

    Args:
        path: what it leads to, as `target_of` has it, without the folder that a proxy has us in.
        until: seconds since 1970.
        by: the name of a user, `of_token`, `of_outlet`, or NOBODY.
        key: `Accounts.link_key`.
    """
    return LinkSeal(path, until, by, _signature(path, until, by, key))


def address_of(seal: LinkSeal) -> str:
    """The link, from its path on."""
    query = urlencode({"until": seal.until, "by": seal.by, "signature": seal.signature}, quote_via=quote)
    return f"{seal.path}{'&' if '?' in seal.path else '?'}{query}"


def shown_by(seal: LinkSeal, key: str, now: float) -> str | None:
    """The stream of which a seal opens something at this moment, seconds since 1970; None: it opens nothing."""
    if not key or not now < seal.until <= now + LONGEST_SECONDS:
        return None
    genuine = _signature(seal.path, seal.until, seal.by, key)
    if not hmac.compare_digest(genuine.encode(), seal.signature.encode(errors="surrogateescape")):
        return None
    return stream_of(seal.path)


def grants_of_maker(by: str, accounts: Accounts, now: float) -> tuple[Grant, ...]:
    """What who made a link may at this moment, beside what anybody may.

    A user whom OpenID Connect told us of may what his sessions say, for as long as there are any.
    """
    user = accounts.users.get(by)
    tokens = tuple(
        token.grant
        for token in accounts.tokens.values()
        if of_token(token.id) == by and (token.expires_at is None or token.expires_at > now)
    )
    signed_in = tuple(
        grant
        for session in accounts.sessions.values()
        if session.user == by and session.expires_at > now
        for grant in session.grants or ()
    )
    return (*(() if user is None else (user.grant,)), *tokens, *signed_in)


def _signature(path: str, until: int, by: str, key: str) -> str:
    # As a JSON list: no part of it can pass for the end of the one before.
    message = json.dumps([path, until, by]).encode()
    return hmac.digest(bytes.fromhex(key), message, "sha256").hex()
