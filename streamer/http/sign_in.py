"""A browser becomes somebody's: what signing in is, in whichever way it is done."""

import re
import secrets
from collections.abc import Sequence

from aiohttp import web

from streamer.access.accounts import Accounts, Session, User
from streamer.access.credential import digest
from streamer.access.principal import Grant
from streamer.access.user_name import shown_key
from streamer.http.access_keys import ACCESS
from streamer.http.changes import change_accounts
from streamer.http.needs import CREDENTIAL, PRINCIPAL
from streamer.http.operation import Answer
from streamer.values.errors import Overloaded, Refused

WRONG = "the name or the password is wrong"
TOO_MANY = Answer(means="too many failed at this address, or for this name", headers=("Retry-After",))
LONGEST_AGENT = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


async def begin_session(
    request: web.Request,
    name: str,
    grants: Sequence[Grant] | None = None,
    *,
    known: User | None = None,
    detail: str = "",
) -> str:
    """Sign somebody in at this browser, whose session before, if there was one, ends.

    Args:
        request: his.
        name: whose session it is.
        grants: what he may as long as it lasts; None: what the user of that name may.
        known: the user whose password was right; who has another by now is not signed in.
        detail: for the audit.

    Returns:
        What the cookie is to hold: `give_cookie`. It is new each time: what somebody left at this browser is not used.

    Raises:
        Refused: 503 it cannot be kept.
    """
    parts, secret, now = request.app[ACCESS], secrets.token_urlsafe(32), request.app[ACCESS].wall()
    session = Session(
        digest(secret),
        secrets.token_hex(4),
        name,
        now,
        now + parts.session_seconds,
        request.remote or "",
        agent_of(request.headers.get("User-Agent", "")),
        None if grants is None else tuple(grants),
    )
    before = request[CREDENTIAL].session

    def begun(accounts: Accounts) -> Accounts:
        if known is not None:
            unchanged(accounts, known)
        return (accounts if before is None else accounts.without_session(before)).with_session(session)

    await change_accounts(request, begun, "sign in", name, who=name, detail=detail)
    return secret


def unchanged(accounts: Accounts, user: User) -> User:
    """The user, if he has still the password that was compared a moment ago.

    Raises:
        Refused: 401 he has not.
    """
    now = accounts.users.get(user.name)
    if now is None or now.password != user.password:
        raise Refused(401, WRONG)
    return now


def agent_of(said: str) -> str:
    """The browser as it calls itself, in a form that can be shown."""
    return _CONTROL.sub("", said)[:LONGEST_AGENT].strip()


def require_turn(request: web.Request, name: str) -> None:
    """Check that who asks may try a password now, before anything else is done for him.

    Raises:
        Refused: 429 too many were wrong.
    """
    request.app[ACCESS].attempts.require(request.remote or "", shown_key(name))


async def compared(request: web.Request, name: str, password: str, hashed: str | None) -> bool:
    """Whether a password is right, in the turn that `require_turn` gave. Takes as long whoever is meant.

    Args:
        request: of who shows it.
        name: of the user, as it is shown.
        password: as it is shown.
        hashed: the user's; None: there is no such user, or he has no password.

    Raises:
        Overloaded: too many passwords wait to be compared.
    """
    parts, address, name = request.app[ACCESS], request.remote or "", shown_key(name)
    known = request[PRINCIPAL].kind == "user" or parts.attempts.knows(address, name)
    try:
        right = await parts.passwords.verify(password, hashed, known=known)
    except Overloaded:
        parts.attempts.withdrawn(address, name)
        raise
    (parts.attempts.succeeded if right else parts.attempts.failed)(address, name)
    return right
