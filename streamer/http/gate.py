"""The one place where it is decided who may: the last of the middlewares, before every handler.

Refused is with 404 who may not see a stream, in the words for one that is not there; with 401 who said nothing of
himself, or nothing we know; and with 403 everybody else.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from streamer.access.action import Action
from streamer.access.principal import Principal
from streamer.http.access_keys import ACCESS
from streamer.http.credentials import credential_of
from streamer.http.keys import no_stream
from streamer.http.needs import CREDENTIAL, GATE, PRINCIPAL, need_of
from streamer.values.errors import Refused

DOING = {
    Action.VIEW: "seeing streams",
    Action.PUBLISH: "publishing",
    Action.OPERATE: "changing streams",
    Action.ADMINISTER: "administering users and tokens",
    Action.METRICS: "reading the metrics",
}
"""The actions, as sentences begin."""


@web.middleware
async def gate(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let through who may do what the route says it does."""
    match = request.match_info
    if match.http_exception is not None:  # nothing is there, or not by this method, for nobody
        return await handler(request)
    need = need_of(match.handler)
    if need is None:
        raise Refused(403, "nobody may do this: the route does not say what it needs")
    credential = credential_of(request)
    request[CREDENTIAL], request[PRINCIPAL] = credential, request.app[GATE].principal(credential)
    if credential.token is not None:
        request.app[ACCESS].token_uses.note(credential.token)
    if need.action is not None:
        require(request, need.action, None if need.stream is None else match[need.stream])
    return await handler(request)


def require(request: web.Request, action: Action, stream: str | None = None) -> None:
    """Refuse who may not do this; to that stream, where one is named.

    Raises:
        Refused: 401 he might, if he said who he is; 403 he may not; 404 for him there is no such stream.
    """
    principal = request[PRINCIPAL]
    if principal.may(action, stream):
        return
    if principal.kind in ("open", "nobody"):
        raise _unknown(request, action)
    can, views = action in principal.actions, Action.VIEW in principal.actions
    # Who may see no stream at all, or publish under some names, learns nothing by being told so.
    if stream is not None and action is not Action.PUBLISH and (can or views) and not principal.sees(stream):
        raise no_stream(request)
    if not can:
        raise Refused(403, f"{DOING[action]} is not among what {principal.name} may do: {_words(principal)}")
    raise _elsewhere_only(principal, action)


def require_name(request: web.Request, action: Action, name: str) -> None:
    """Refuse who may not do this to a stream that he gives this name; whether there is one is not asked.

    Raises:
        Refused: 403.
    """
    if not request[PRINCIPAL].may(action, name):
        raise _elsewhere_only(request[PRINCIPAL], action)


def _unknown(request: web.Request, action: Action) -> Refused:
    """What to show."""
    gate = request.app[GATE]
    keys = " or ".join(gate.keys_to(action))
    needed = f"{DOING[action]} needs the token of {keys}, as `Authorization: Bearer …`"
    if request[CREDENTIAL].token is not None:
        sentence = "the token is none that is known here, or it has expired"
        return Refused(401, f"{sentence}; {needed}" if keys else sentence)
    if keys:
        return Refused(401, needed)
    if gate.is_open:
        return Refused(403, f"{DOING[action]} needs a user: `sightline user add NAME --role admin` makes the first")
    return Refused(401, f"{DOING[action]} is for who signs in, or shows a token, as `Authorization: Bearer …`")


def _elsewhere_only(principal: Principal, action: Action) -> Refused:
    """Where he may."""
    patterns = (pattern for grant in principal.grants if action in grant.actions for pattern in grant.streams)
    names = ", ".join(dict.fromkeys(patterns))
    return Refused(403, f"{DOING[action]} is allowed to {principal.name} under the names {names}, and under no other")


def _words(principal: Principal) -> str:
    return ", ".join(sorted(principal.actions)) or "nothing"
