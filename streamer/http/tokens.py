"""`/api/tokens`: what programs show, and what they may with it; for administrators."""

import secrets
from typing import Any

from aiohttp import web

from streamer.access.accounts import Accounts, Token
from streamer.access.action import Action
from streamer.access.credential import digest, new_token
from streamer.access.user_name import found
from streamer.http.access_keys import ACCESS
from streamer.http.bodies.token import ListedToken, MadeToken, NewToken
from streamer.http.changes import change_accounts
from streamer.http.json_body import FITS, KEPT, answer, answer_list, body_of
from streamer.http.keys import location
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import Answer, Content, described
from streamer.values.errors import Refused

routes = web.RouteTableDef()

LIST, ONE = "/api/tokens", "/api/tokens/{id}"
MADE = Answer(Content(MadeToken), headers=("Location",))


@routes.get(LIST)
@needs(Action.ADMINISTER)
@described({200: list[ListedToken]})
async def list_tokens(request: web.Request) -> web.Response:
    """All tokens, by name, without their secrets."""
    tokens = sorted(request.app[ACCESS].store.accounts.tokens.values(), key=lambda token: token.name.casefold())
    return answer_list(ListedToken(**_shown(token)) for token in tokens)


@routes.post(LIST)
@needs(Action.ADMINISTER)
@described({201: MADE, 409: "the name is another's, whatever its case", **FITS, **KEPT}, body=NewToken)
async def make(request: web.Request) -> web.Response:
    """Make a token. Its secret is in this answer, and nowhere else."""
    parts = request.app[ACCESS]
    new, now = await body_of(request, NewToken), parts.wall()
    if new.expires_at is not None and new.expires_at <= now:
        raise Refused(422, "expires_at: is over; it must be seconds since 1970 that are to come, or null")
    secret = new_token()
    token = Token(
        secrets.token_hex(4),
        new.name,
        digest(secret),
        frozenset(new.actions),
        new.streams,
        new.expires_at,
        now,
        request[PRINCIPAL].name,
    )

    def made(accounts: Accounts) -> Accounts:
        if found({each.name: each for each in accounts.tokens.values()}, token.name) is not None:
            raise Refused(409, f"there is a token {token.name!r} already")
        return accounts.with_token(token)

    said = f"{', '.join(sorted(token.actions))}; {' '.join(token.streams)}"
    await change_accounts(request, made, "token add", token.name, detail=said)
    response = answer(MadeToken(**_shown(token), secret=secret), 201)
    response.headers["Location"] = location(request, f"{LIST}/{token.id}")
    return response


@routes.delete(ONE)
@needs(Action.ADMINISTER)
@described({204: None, **KEPT})
async def remove(request: web.Request) -> web.Response:
    """Remove a token. What goes on by it ends."""
    tokens, id_ = request.app[ACCESS].store.accounts.tokens, request.match_info["id"]
    named = [token.name for token in tokens.values() if token.id == id_]
    if not named:
        raise Refused(404, "there is no token of that id")
    await change_accounts(request, lambda accounts: accounts.without_token(id_), "token remove", named[0])
    return web.Response(status=204)


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "actions": tuple(sorted(token.actions)),
        "streams": token.streams,
        "expires_at": token.expires_at,
        "created_at": token.created_at,
        "created_by": token.created_by,
        "used_at": token.used_at,
    }
