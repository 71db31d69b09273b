"""`/api/session`: signing in with a password, who one is here, signing out."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from streamer.access.accounts import Accounts, Session, User
from streamer.access.action import Action
from streamer.access.credential import Credential, digest
from streamer.access.principal import Grant, Principal
from streamer.access.user_name import found, shown_key
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.session import CurrentSession, NewPassword, SignIn, SignInElsewhere, WaysIn, WhoAsks
from streamer.http.json_body import answer, body_of
from streamer.http.keys import location
from streamer.http.needs import CREDENTIAL, GATE, PRINCIPAL, needs
from streamer.http.operation import described
from streamer.http.session_cookie import give_cookie, take_cookie_back
from streamer.values.errors import ConfigError, Overloaded, Refused

SIGN_IN_ELSEWHERE: web.AppKey[SignInElsewhere] = web.AppKey("sign_in_elsewhere", SignInElsewhere)
"""Not there: nowhere else. Its path is without the folder that a proxy has us in."""

WRONG = "the name or the password is wrong"
LONGEST_AGENT = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

routes = web.RouteTableDef()


@routes.get("/api/session")
@needs(None)
@described({200: CurrentSession})
async def current(request: web.Request) -> web.Response:
    """Who asks, what he may, and how he may sign in."""
    return answer(_current(request, request[PRINCIPAL], request[CREDENTIAL].session))


@routes.post("/api/session")
@needs(None)
@described(
    {201: CurrentSession, 401: "the name or the password is wrong", 429: "too many failed", 503: "too many wait"},
    body=SignIn,
)
async def sign_in(request: web.Request) -> web.Response:
    """Sign in with a password. The answer sets a cookie."""
    shown = await body_of(request, SignIn)
    user = await _verified(request, shown)
    secret = await begin_session(request, user.name, known=user)
    principal = request.app[GATE].principal(Credential(session=digest(secret)))
    response = answer(_current(request, principal, digest(secret)), 201)
    give_cookie(request, response, secret)
    return response


@routes.delete("/api/session")
@needs(None)
@described({204: None})
async def sign_out(request: web.Request) -> web.Response:
    """End this session. Who has none is signed out already."""
    parts, own = request.app[ACCESS], request[CREDENTIAL].session
    ended = None if own is None else parts.store.accounts.sessions.get(own)
    if ended is not None:
        await parts.store.change(lambda accounts: accounts.without_session(ended.digest))
        note(request, "sign out", ended.user, who=ended.user)
    response = web.Response(status=204)
    take_cookie_back(request, response)
    return response


@routes.put("/api/session/password")
@needs(None)
@described(
    {204: None, 403: "the old password is not this one", 409: "he has no password here", 429: "too many failed"},
    body=NewPassword,
)
async def change_password(request: web.Request) -> web.Response:
    """Change one's own password. One's other sessions end."""
    parts, own = request.app[ACCESS], request[CREDENTIAL].session
    principal = request[PRINCIPAL]
    session = None if own is None else parts.store.accounts.sessions.get(own)
    if principal.kind != "user" or session is None:
        raise Refused(401, "a password is changed by who has signed in with it")
    shown = await body_of(request, NewPassword)
    user = parts.store.accounts.users.get(session.user)
    if session.grants is not None or user is None or user.password is None:
        raise Refused(409, f"{session.user} has no password here: it is changed where he signs in")
    hashed = await _hash_of_changed(request, user, shown)

    def changed(accounts: Accounts) -> Accounts:
        now = replace(unchanged(accounts, user), password=hashed)
        return accounts.with_user(now).signed_out(user.name, but=own)

    await parts.store.change(changed)
    note(request, "password change", user.name)
    return web.Response(status=204)


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

    await parts.store.change(begun)
    note(request, "sign in", name, who=name, detail=detail)
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


async def _verified(request: web.Request, shown: SignIn) -> User:
    """The user whose name and password these are. For every other answer the same is done, and the same is said.

    Raises:
        Refused: 401 they are nobody's; 429 too many were.
        Overloaded: too many passwords wait to be compared.
    """
    parts = request.app[ACCESS]
    user = found(parts.store.accounts.users, shown.name)
    right = await _compared(request, shown.name, shown.password, None if user is None else user.password)
    if user is None:
        # Nobody's name may be a password in the wrong field: it is kept nowhere.
        note(request, "sign in", ok=False, detail="there is no such user")
    elif not right:
        note(request, "sign in", user.name, ok=False, detail="another password" if user.password else "has no password")
    if user is None or not right:
        raise Refused(401, WRONG)
    return user


async def _hash_of_changed(request: web.Request, user: User, shown: NewPassword) -> str:
    """The hash of a new password, once the old one was shown.

    Raises:
        Refused: 403 it was not; 422 the new one is too short or too long; 429 too many were wrong.
        Overloaded: too many passwords wait.
    """
    passwords = request.app[ACCESS].passwords
    if not await _compared(request, user.name, shown.old, user.password):
        note(request, "password change", user.name, ok=False)
        raise Refused(403, "the old password is not this one")
    try:
        return await passwords.hashed(shown.new)
    except ConfigError as error:
        raise Refused(422, f"new: {error}") from None


async def _compared(request: web.Request, name: str, password: str, hashed: str | None) -> bool:
    """Whether a password is right, which may be asked so often only."""
    parts, address, name = request.app[ACCESS], request.remote or "", shown_key(name)
    parts.attempts.require(address, name)
    try:
        right = await parts.passwords.verify(password, hashed)
    except Overloaded:
        parts.attempts.withdrawn(address, name)
        raise
    (parts.attempts.succeeded if right else parts.attempts.failed)(address, name)
    return right


def _current(request: web.Request, principal: Principal, session: str | None) -> CurrentSession:
    accounts = request.app[ACCESS].store.accounts
    found = accounts.sessions.get(session) if session is not None and principal.kind == "user" else None
    user = accounts.users.get(principal.name) if found is not None and found.grants is None else None
    elsewhere = request.app.get(SIGN_IN_ELSEWHERE)
    patterns = (name for grant in principal.grants if Action.VIEW in grant.actions for name in grant.streams)
    return CurrentSession(
        principal=WhoAsks(
            kind=principal.kind,
            name=principal.name,
            role=None if user is None else user.role,
            actions=tuple(sorted(principal.actions)),
            streams=tuple(dict.fromkeys(patterns)),
        ),
        open=request.app[GATE].is_open,
        sign_in=WaysIn(
            password=bool(accounts.users),
            oidc=None
            if elsewhere is None
            else SignInElsewhere(name=elsewhere.name, path=location(request, elsewhere.path)),
        ),
        expires_at=None if found is None else found.expires_at,
    )
