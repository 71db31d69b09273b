"""`/api/session/password`: one's own password, changed by who knows it."""

from dataclasses import replace

from aiohttp import web

from streamer.access.accounts import Accounts, User
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.session import NewPassword
from streamer.http.changes import change_accounts
from streamer.http.json_body import FITS, KEPT_AND_HASHED, body_of
from streamer.http.needs import CREDENTIAL, PRINCIPAL, needs
from streamer.http.operation import described
from streamer.http.sign_in import TOO_MANY, compared, require_turn, unchanged
from streamer.values.errors import ConfigError, Refused

routes = web.RouteTableDef()


@routes.put("/api/session/password")
@needs(None)
@described(
    {
        204: None,
        401: "nobody has signed in",
        403: "the old password is wrong",
        409: "there is no password here",
        429: TOO_MANY,
        **FITS,
        **KEPT_AND_HASHED,
    },
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

    await change_accounts(request, changed, "password change", user.name)
    return web.Response(status=204)


async def _hash_of_changed(request: web.Request, user: User, shown: NewPassword) -> str:
    """The hash of a new password, once the old one was shown.

    Raises:
        Refused: 403 it was not; 422 the new one is too short or too long; 429 too many were wrong.
        Overloaded: too many passwords wait.
    """
    passwords = request.app[ACCESS].passwords
    require_turn(request, user.name)
    if not await compared(request, user.name, shown.old, user.password):
        note(request, "password change", user.name, ok=False)
        raise Refused(403, "the old password is wrong")
    try:
        return await passwords.hashed(shown.new)
    except ConfigError as error:
        raise Refused(422, f"new: {error}") from None
