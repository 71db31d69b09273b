"""`/api/alerts`: rules that say what is told to whom, tried before they are saved; and what came of them."""

import asyncio
from typing import Any

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.alerts.alert import AlertQuery, FoundAlert
from streamer.archive.alerts.alerts import Alerts
from streamer.archive.alerts.rule_state import RuleState
from streamer.control.alert_rules import read_rule
from streamer.http.access_keys import ACCESS
from streamer.http.alert_rights import may_change, patterns_seen, require_all, seen_streams
from streamer.http.audit import audited, note
from streamer.http.bodies.alert import (
    MOST_TRIED,
    AlertPage,
    AlertSearch,
    RuleSettings,
    ShownAlert,
    ShownRule,
    ShownRules,
    TriedAlert,
    TriedRule,
)
from streamer.http.bodies.body import read_query
from streamer.http.body import JSON, settings_of
from streamer.http.changes import whole
from streamer.http.json_body import FITS, answer
from streamer.http.kept_events import ARCHIVE, shown, streams_of, words_of
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.alert import AlertRule
from streamer.values.errors import ConfigError, Refused
from streamer.values.name import NAME

CHANGING: web.AppKey[asyncio.Lock] = web.AppKey("rules_changing", asyncio.Lock)
"""Nobody's rule changes between the look at whose it is and its change."""

routes = web.RouteTableDef()

LIST = "/api/alerts"
ONE = f"{LIST}/{{rule:(?!(?:history|try)$){NAME}}}"
"""Two names are taken by what stands beside the rules; a file may have them all the same."""
AWAY = {503: "the archive cannot be used for now"}
OURS = {409: "it stands in the configuration file, which alone changes it; or there are as many as may be"}
DAY = 86_400.0


@routes.get(LIST)
@needs(Action.VIEW)
@described({200: ShownRules, **AWAY})
async def list_rules(request: web.Request) -> web.Response:
    """The rules that look at streams one may see, where each comes from, and what it told in the last 24 hours."""
    principal, archive = request[PRINCIPAL], request.app[ARCHIVE]
    seen = await seen_streams(request)
    states = await archive.alerts.rules(None if principal.may_everywhere(Action.VIEW) else seen)
    found = [_rule(request, state, patterns_seen(principal, state.rule, seen)) for state in states]
    rules = sorted((rule for rule in found if rule is not None), key=lambda rule: rule.name.casefold())
    outlets = archive.alerts.outlets if principal.may(Action.OPERATE) else ()
    return answer(ShownRules(rules=tuple(rules), outlets=tuple(outlets), failing=archive.failing))


@routes.put(ONE)
@needs(Action.OPERATE)
@described({200: ShownRule, 201: ShownRule, **OURS, **FITS, **AWAY}, body=RuleSettings)
async def put(request: web.Request) -> web.Response:
    """Make a rule, or give one these keys in the place of all it has."""
    name = request.match_info["rule"]
    rule = read_rule(name, await settings_of(request, JSON), alerts_of(request).outlets)
    require_all(request, rule)
    said = f"{' '.join(rule.streams)}; {', '.join(rule.outlets) or 'nobody'}"

    def told(is_new: bool) -> None:
        note(request, "rule add" if is_new else "rule change", name, detail=said)

    is_new = await whole(request, _put(request, rule), told)
    state = await _state_of(request, name)
    shown_rule = None if state is None else _rule(request, state, rule.streams)
    if shown_rule is None:
        raise Refused(404, f"the rule {name!r} was saved, and removed meanwhile")
    return answer(shown_rule, 201 if is_new else 200)


@routes.delete(ONE)
@needs(Action.OPERATE)
@described({204: None, 409: OURS[409], **AWAY})
async def remove(request: web.Request) -> web.Response:
    """Remove a rule that was made here. What it told stays told."""
    name = request.match_info["rule"]
    await whole(request, _remove(request, name), lambda _: note(request, "rule remove", name))
    return web.Response(status=204)


@routes.post(f"{LIST}/try")
@needs(Action.OPERATE)
@described({200: TriedRule, **FITS, **AWAY}, body=RuleSettings)
async def attempt(request: web.Request) -> web.Response:
    """What a rule would have told in the last day, by its cool-downs too; nothing is saved, and nobody told."""
    rule = read_rule("tried", await settings_of(request, JSON), alerts_of(request).outlets)
    require_all(request, rule)
    since = request.app[ACCESS].wall() - DAY
    trial = await alerts_of(request).try_rule(rule, since, await streams_of(request, ()))
    newest = (TriedAlert(at=round(each.at, 3), event=shown(each.kept)) for each in trial.alerts[:MOST_TRIED])
    return answer(
        TriedRule(
            since=round(since, 3), count=trial.told, cooled=trial.cooled, complete=trial.is_whole, alerts=tuple(newest)
        )
    )


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


# ---- what others of its kind need too


def set_up(app: web.Application) -> None:
    """Have rules changed one after the other."""
    app[CHANGING] = asyncio.Lock()


def alerts_of(request: web.Request) -> Alerts:
    """The archive's."""
    return request.app[ARCHIVE].alerts


async def visible_rule(request: web.Request, name: str) -> RuleState | None:
    """The rule of that name, if it looks at a stream that whoever asks may see; None: for him there is none."""
    state = await _state_of(request, name)
    if state is None or not patterns_seen(request[PRINCIPAL], state.rule, await seen_streams(request)):
        return None
    return state


async def _state_of(request: web.Request, name: str) -> RuleState | None:
    """The one in force comes before one that it hides."""
    named = [state for state in await alerts_of(request).rules(()) if state.rule.name == name]
    return min(named, key=lambda state: state.hidden, default=None)


async def _put(request: web.Request, rule: AlertRule) -> bool:
    async with request.app[CHANGING]:
        before = await _state_of(request, rule.name)
        if before is not None and before.origin == "here":
            _require_his(request, before)
        try:
            return await alerts_of(request).put_rule(rule, audited(request[PRINCIPAL]))
        except ConfigError as error:  # one of its outlets went away meanwhile
            raise Refused(422, str(error)) from None


async def _remove(request: web.Request, name: str) -> None:
    async with request.app[CHANGING]:
        state = await visible_rule(request, name)
        if state is None:
            raise Refused(404, f"there is no rule {name!r}")
        if state.origin == "here":
            _require_his(request, state)
        await alerts_of(request).remove_rule(name)


def _require_his(request: web.Request, state: RuleState) -> None:
    if not may_change(request[PRINCIPAL], state.rule):
        raise Refused(403, f"the rule {state.rule.name!r} looks at streams that are not all yours; choose another name")


def _rule(request: web.Request, state: RuleState, patterns: tuple[str, ...]) -> ShownRule | None:
    if not patterns:
        return None
    said: dict[str, Any] = {**state.rule.document(), "streams": list(patterns)}
    return ShownRule(
        name=state.rule.name,
        origin=state.origin,
        may_change=state.origin == "here" and not state.hidden and may_change(request[PRINCIPAL], state.rule),
        hidden=state.hidden,
        rule=said,
        unknown_outlets=state.unknown_outlets,
        silenced_until=_rounded(state.silenced_until),
        alerts=state.alerts,
        told=state.told,
        last_told_at=_rounded(state.last_told_at),
    )


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


def _rounded(at: float | None) -> float | None:
    return None if at is None else round(at, 3)
