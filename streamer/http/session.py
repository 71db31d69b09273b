"""`/api/session`: signing in with a password, who one is here, signing out."""

from dataclasses import replace

from aiohttp import web

from streamer.access.accounts import User
from streamer.access.action import Action
from streamer.access.credential import Credential, digest
from streamer.access.password import is_outdated
from streamer.access.principal import Principal
from streamer.access.user_name import found
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.session import CurrentSession, SignIn, SignInElsewhere, WaysIn, WhoAsks
from streamer.http.changes import change_accounts
from streamer.http.json_body import FITS, KEPT, KEPT_AND_HASHED, answer, body_of
from streamer.http.keys import location
from streamer.http.needs import CREDENTIAL, GATE, PRINCIPAL, needs
from streamer.http.operation import described
from streamer.http.session_cookie import give_cookie, take_cookie_back
from streamer.http.sign_in import TOO_MANY, WRONG, begin_session, compared, require_turn, unchanged
from streamer.values.errors import ConfigError, Overloaded, Refused

SIGN_IN_ELSEWHERE: web.AppKey[SignInElsewhere] = web.AppKey("sign_in_elsewhere", SignInElsewhere)
"""Not there: nowhere else. Its path is without the folder that a proxy has us in."""

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
    {201: CurrentSession, 401: WRONG, 429: TOO_MANY, **FITS, **KEPT_AND_HASHED},
    body=SignIn,
)
async def sign_in(request: web.Request) -> web.Response:
    """Sign in with a password. The answer sets a cookie."""
    shown = await body_of(request, SignIn)
    user = await _verified(request, shown)
    user = await _renewed(request, user, shown.password)
    secret = await begin_session(request, user.name, known=user)
    principal = request.app[GATE].principal(Credential(session=digest(secret)))
    response = answer(_current(request, principal, digest(secret)), 201)
    give_cookie(request, response, secret)
    return response


@routes.delete("/api/session")
@needs(None)
@described({204: None, **KEPT})
async def sign_out(request: web.Request) -> web.Response:
    """End this session. Who has none is signed out already."""
    own = request[CREDENTIAL].session
    ended = None if own is None else request.app[ACCESS].store.accounts.sessions.get(own)
    if ended is not None:
        user, digest_ = ended.user, ended.digest
        await change_accounts(request, lambda accounts: accounts.without_session(digest_), "sign out", user, who=user)
    response = web.Response(status=204)
    take_cookie_back(request, response)
    return response


async def _verified(request: web.Request, shown: SignIn) -> User:
    """The user whose name and password these are. For every other answer the same is done, and the same is said.

    Raises:
        Refused: 401 they are nobody's; 429 too many were.
        Overloaded: too many passwords wait to be compared.
    """
    parts = request.app[ACCESS]
    require_turn(request, shown.name)  # first: the search looks at every user
    user = found(parts.store.accounts.users, shown.name)
    right = await compared(request, shown.name, shown.password, None if user is None else user.password)
    if user is None:
        # Nobody's name may be a password in the wrong field: it is kept nowhere.
        note(request, "sign in", ok=False, detail="there is no such user")
    elif not right:
        note(request, "sign in", user.name, ok=False, detail="another password" if user.password else "has no password")
    if user is None or not right:
        raise Refused(401, WRONG)
    return user


async def _renewed(request: web.Request, user: User, password: str) -> User:
    """The user, with a hash of today's parameters: this is the moment at which one knows his password."""
    parts = request.app[ACCESS]
    if user.password is None or not is_outdated(user.password):
        return user
    try:
        hashed = await parts.passwords.hashed(password)
    except (ConfigError, Overloaded):  # it is from before there was a shortest; or another time
        return user
    accounts = await parts.store.change(
        lambda accounts: accounts.with_user(replace(unchanged(accounts, user), password=hashed))
    )
    return accounts.users[user.name]


def _current(request: web.Request, principal: Principal, session: str | None) -> CurrentSession:
    accounts = request.app[ACCESS].store.accounts
    living = accounts.sessions.get(session) if session is not None and principal.kind == "user" else None
    user = accounts.users.get(principal.name) if living is not None and living.grants is None else None
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
        expires_at=None if living is None else living.expires_at,
    )
