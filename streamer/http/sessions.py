"""`/api/sessions`: where one is signed in, and the end of it; for administrators also where others are."""

from aiohttp import web

from streamer.access.accounts import Session
from streamer.access.action import Action
from streamer.http.access_keys import ACCESS
from streamer.http.bodies.body import read_query
from streamer.http.bodies.session import ListedSession, WhoseSessions
from streamer.http.changes import change_accounts
from streamer.http.gate import require
from streamer.http.json_body import KEPT, answer_list
from streamer.http.needs import CREDENTIAL, PRINCIPAL, needs
from streamer.http.operation import described
from streamer.http.session_cookie import take_cookie_back
from streamer.values.errors import Refused

routes = web.RouteTableDef()

ABOUT = {401: "nobody asks", 403: "they are another's, and who asks is no administrator"}
"""What all of these may answer."""


@routes.get("/api/sessions")
@needs(None)
@described({200: list[ListedSession], **ABOUT}, query=WhoseSessions)
async def list_sessions(request: web.Request) -> web.Response:
    """One's own, the newest first; `?user=`: another's, for administrators."""
    own, sessions = request[CREDENTIAL].session, _sessions(request, _whose(request))
    newest_first = sorted(sessions, key=lambda each: each.begun_at, reverse=True)
    return answer_list(_listed(each, own) for each in newest_first)


@routes.delete("/api/sessions")
@needs(None)
@described({204: None, **ABOUT, **KEPT}, query=WhoseSessions)
async def sign_out_everywhere(request: web.Request) -> web.Response:
    """End one's own, this one among them; `?user=`: another's, for administrators."""
    user = _whose(request)
    ended = [each.digest for each in _sessions(request, user)]
    if ended:
        await change_accounts(request, lambda accounts: accounts.signed_out(user), "sign out everywhere", user)
    return _ended(request, ended)


@routes.delete("/api/sessions/{id}")
@needs(None)
@described({204: None, **ABOUT, **KEPT}, query=WhoseSessions)
async def end_session(request: web.Request) -> web.Response:
    """End one of one's own; `?user=`: of another's, for administrators."""
    user, id_ = _whose(request), request.match_info["id"]
    ended = [each.digest for each in _sessions(request, user) if each.id == id_]
    if not ended:
        raise Refused(404, f"{user} has no session of that id")
    await change_accounts(request, lambda accounts: accounts.without_session(*ended), "session end", user, detail=id_)
    return _ended(request, ended)


def _whose(request: web.Request) -> str:
    """The user whose sessions a request is about.

    Raises:
        Refused: 401 nobody asks, 403 it is another's and who asks is no administrator.
    """
    principal, user = request[PRINCIPAL], read_query(WhoseSessions, request.query).user
    if user is not None and (principal.kind != "user" or user != principal.name):
        require(request, Action.ADMINISTER)
        return user
    if principal.kind == "nobody":
        raise Refused(401, "sessions are those of who has signed in")
    return principal.name if principal.kind == "user" else ""


def _sessions(request: web.Request, user: str) -> list[Session]:
    parts = request.app[ACCESS]
    return [
        each for each in parts.store.accounts.sessions.values() if each.user == user and each.expires_at > parts.wall()
    ]


def _listed(session: Session, own: str | None) -> ListedSession:
    return ListedSession(
        id=session.id,
        user=session.user,
        begun_at=session.begun_at,
        expires_at=session.expires_at,
        address=session.address,
        agent=session.agent,
        current=session.digest == own,
    )


def _ended(request: web.Request, ended: list[str]) -> web.Response:
    response = web.Response(status=204)
    if request[CREDENTIAL].session in ended:
        take_cookie_back(request, response)
    return response
