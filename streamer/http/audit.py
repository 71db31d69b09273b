"""`/api/audit`: who did what, when, from where; and how the other routes say so."""

from aiohttp import web

from streamer.access.action import Action
from streamer.access.audit import Deed
from streamer.access.principal import Principal
from streamer.http.access_keys import ACCESS
from streamer.http.bodies.body import read_query
from streamer.http.bodies.deed import Deeds, ListedDeed, Search
from streamer.http.json_body import answer
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.errors import Refused

LONGEST_DETAIL = 500
"""Characters; a user may see hundreds of streams."""

routes = web.RouteTableDef()


@routes.get("/api/audit")
@needs(Action.ADMINISTER)
@described({200: Deeds, 400: "a word of the query is none, or no longer", 503: "it cannot be read"}, query=Search)
async def search(request: web.Request) -> web.Response:
    """The newest deeds that fit, newest first."""
    asked = read_query(Search, request.query)
    try:
        deeds, cursor = await request.app[ACCESS].audit.search(
            asked.who, asked.what, asked.since, asked.until, asked.cursor, asked.limit
        )
    except OSError as error:
        raise Refused(503, f"the audit cannot be read: {error.strerror}") from None
    return answer(Deeds(deeds=tuple(_listed(deed) for deed in deeds), cursor=cursor))


def note(
    request: web.Request, what: str, target: str = "", *, who: str | None = None, ok: bool = True, detail: str = ""
) -> None:
    """Have it written that who asks did this.

    Args:
        request: his.
        what: in two words or three, of which the first says to what kind of thing: "user add".
        target: which of them.
        who: who it was, where his request does not say so yet.
        ok: whether it was done; else it was tried.
        detail: what else there is to know.
    """
    access = request.app[ACCESS]
    name = audited(request[PRINCIPAL]) if who is None else who
    access.audit.note(Deed(access.wall(), name, what, target, request.remote or "", ok, detail[:LONGEST_DETAIL]))


def audited(principal: Principal) -> str:
    """Whom a proxy calls anna need not be the anna who signs in here, so the audit tells them apart."""
    return f"{principal.name} (proxy)" if principal.kind == "proxy" else principal.name


def _listed(deed: Deed) -> ListedDeed:
    return ListedDeed(
        at=deed.at,
        who=deed.who,
        what=deed.what,
        target=deed.target,
        address=deed.address,
        ok=deed.ok,
        detail=deed.detail,
    )
