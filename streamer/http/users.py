"""`/api/users`: who may sign in, and what he may; for administrators."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from streamer.access.accounts import Accounts, User
from streamer.access.action import Action
from streamer.access.user_name import found
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.user import ListedUser, NewUser, UserChange
from streamer.http.changes import change_accounts, whole
from streamer.http.json_body import FITS, KEPT, KEPT_AND_HASHED, answer, answer_list, body_of
from streamer.http.keys import location
from streamer.http.needs import CREDENTIAL, needs
from streamer.http.operation import Answer, Content, described
from streamer.values.errors import ConfigError, Refused

routes = web.RouteTableDef()

LIST, ONE = "/api/users", "/api/users/{user:[^/]+}"  # whose name may hold braces
ADDED = Answer(Content(ListedUser), headers=("Location",))
LAST = "nobody could sign in as an administrator any more"


@routes.get(LIST)
@needs(Action.ADMINISTER)
@described({200: list[ListedUser]})
async def list_users(request: web.Request) -> web.Response:
    """All users, by name."""
    accounts = request.app[ACCESS].store.accounts
    users = sorted(accounts.users.values(), key=lambda user: user.name.casefold())
    sessions = Counter(each.user for each in accounts.sessions.values())
    return answer_list(_listed(user, sessions[user.name]) for user in users)


@routes.post(LIST)
@needs(Action.ADMINISTER)
@described({201: ADDED, 409: "the name is another's, whatever its case", **FITS, **KEPT_AND_HASHED}, body=NewUser)
async def add(request: web.Request) -> web.Response:
    """Add a user."""
    parts = request.app[ACCESS]
    new = await body_of(request, NewUser)
    hashed = None if new.password is None else await _hashed(request, new.password)
    user = User(new.name, new.role, new.streams, hashed, parts.wall())

    def added(accounts: Accounts) -> Accounts:
        if (other := found(accounts.users, user.name)) is not None:
            raise Refused(409, f"there is a user {other.name!r} already")
        return accounts.with_user(user)

    accounts = await change_accounts(request, added, "user add", user.name, detail=_said(user))
    response = answer(_listed(user, _sessions(user, accounts)), 201)
    response.headers["Location"] = location(request, f"{LIST}/{quote(user.name, safe='')}")
    return response


@routes.patch(ONE)
@needs(Action.ADMINISTER)
@described({200: ListedUser, 409: LAST, **FITS, **KEPT_AND_HASHED}, body=UserChange)
async def change(request: web.Request) -> web.Response:
    """Change a user's role, streams or password; a changed password ends his sessions, but not the one that asks."""
    parts, wanted = request.app[ACCESS], await body_of(request, UserChange)
    name = _named(request, parts.store.accounts).name
    named = wanted.model_fields_set
    hashed = None if wanted.password is None else await _hashed(request, wanted.password)

    def changed(accounts: Accounts) -> Accounts:
        user = _named(request, accounts)
        if wanted.role is not None:
            user = replace(user, role=wanted.role)
        if wanted.streams is not None:
            user = replace(user, streams=wanted.streams)
        if "password" in named:
            user = replace(user, password=hashed)
            accounts = accounts.signed_out(user.name, but=request[CREDENTIAL].session)
        return accounts.with_user(user)

    also = ", another password" if "password" in named else ""
    accounts = await whole(
        request,
        parts.store.change(_keeping_an_administrator(changed)),
        lambda after: note(request, "user change", name, detail=_said(after.users[name]) + also),
    )
    user = accounts.users[name]
    return answer(_listed(user, _sessions(user, accounts)))


@routes.delete(ONE)
@needs(Action.ADMINISTER)
@described({204: None, 409: LAST, **KEPT})
async def remove(request: web.Request) -> web.Response:
    """Remove a user. What he is signed in to ends."""
    name = _named(request, request.app[ACCESS].store.accounts).name
    removed = _keeping_an_administrator(lambda accounts: accounts.without_user(_named(request, accounts).name))
    await change_accounts(request, removed, "user remove", name)
    return web.Response(status=204)


def _named(request: web.Request, accounts: Accounts) -> User:
    """The user whom a path names.

    Raises:
        Refused: 404 there is none.
    """
    user = found(accounts.users, request.match_info["user"])
    if user is None:
        raise Refused(404, "there is no user of that name")
    return user


def _keeping_an_administrator(edit: Callable[[Accounts], Accounts]) -> Callable[[Accounts], Accounts]:
    """The same edit, refused where after it nobody could undo it here."""

    def kept(before: Accounts) -> Accounts:
        after = edit(before)
        for could in (_is_administrator, _signs_in_as_administrator):
            if any(map(could, before.users.values())) and not any(map(could, after.users.values())):
                raise Refused(409, "this is the last administrator who can sign in; make another one first")
        return after

    return kept


def _is_administrator(user: User) -> bool:
    return Action.ADMINISTER in user.role.actions


def _signs_in_as_administrator(user: User) -> bool:
    return _is_administrator(user) and user.password is not None


async def _hashed(request: web.Request, password: str) -> str:
    try:
        return await request.app[ACCESS].passwords.hashed(password)
    except ConfigError as error:
        raise Refused(422, f"password: {error}") from None


def _sessions(user: User, accounts: Accounts) -> int:
    return sum(each.user == user.name for each in accounts.sessions.values())


def _listed(user: User, sessions: int) -> ListedUser:
    return ListedUser(
        name=user.name,
        role=user.role,
        streams=user.streams,
        password=user.password is not None,
        created_at=user.created_at,
        sessions=sessions,
    )


def _said(user: User) -> str:
    """What he may, for the audit."""
    return f"{user.role}, {' '.join(user.streams) or 'no streams'}"
