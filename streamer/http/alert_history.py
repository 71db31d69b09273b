"""`/api/alerts/history`: events that met a rule, and what came of it."""

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.alerts.alert import AlertQuery, FoundAlert
from streamer.http.alerts import AWAY, LIST
from streamer.http.bodies.alert import AlertPage, AlertSearch, ShownAlert
from streamer.http.bodies.body import read_query
from streamer.http.json_body import answer
from streamer.http.kept_events import ARCHIVE, shown, streams_of, words_of
from streamer.http.needs import needs
from streamer.http.operation import described

routes = web.RouteTableDef()


@routes.get(f"{LIST}/history")
@needs(Action.VIEW)
@described({200: AlertPage, 400: "a word of the query is none", **AWAY}, query=AlertSearch)
async def history(request: web.Request) -> web.Response:
    """The newest alerts of streams one may see, newest first, and what became of each."""
    asked, archive = read_query(AlertSearch, request.query), request.app[ARCHIVE]
    query = AlertQuery(
        streams=await streams_of(request, words_of(asked.stream)),
        rule=asked.rule,
        outcome=asked.outcome,
        since=asked.since,
        until=asked.until,
        before=asked.cursor,
        limit=asked.limit,
    )
    found = await archive.alerts.history(query)
    cursor = found[-1].alert.id if len(found) == asked.limit else None
    return answer(AlertPage(alerts=tuple(map(_alert, found)), cursor=cursor, failing=archive.failing))


def _alert(found: FoundAlert) -> ShownAlert:
    alert = found.alert
    return ShownAlert(
        id=alert.id,
        rule=alert.rule,
        stream=alert.stream,
        at=round(alert.at, 3),
        outcome=alert.outcome,
        told=alert.outlets if alert.outcome == "told" else (),
        event=shown(found.kept),
    )
