"""`/api/alerts`: rules that say what is told to whom, tried before they are saved."""

import asyncio
from typing import Any

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.alerts.alerts import Alerts
from streamer.archive.alerts.rule_state import RuleState
from streamer.control.alert_rules import read_rule
from streamer.http.access_keys import ACCESS
from streamer.http.alert_rights import may_change, patterns_seen, require_all, seen_streams
from streamer.http.audit import audited, note
from streamer.http.bodies.alert import (
    MOST_TRIED,
    RuleSettings,
    ShownRule,
    ShownRules,
    TriedAlert,
    TriedRule,
)
from streamer.http.body import JSON, settings_of
from streamer.http.changes import whole
from streamer.http.json_body import FITS, answer
from streamer.http.kept_events import ARCHIVE, shown, streams_of
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.alert import AlertRule
from streamer.values.errors import ConfigError, Refused
from streamer.values.name import NAME

CHANGING: web.AppKey[asyncio.Lock] = web.AppKey("rules_changing", asyncio.Lock)
"""Nobody's rule changes between the look at whose it is and its change."""
TRYING: web.AppKey[asyncio.Semaphore] = web.AppKey("rules_tried", asyncio.Semaphore)
"""A day's events are read for each: of the archive's four threads, others have some left."""
AT_ONCE = 2

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
    visible = [(state, patterns_seen(principal, state.rule, seen)) for state in states]
    rules = [_rule(request, state, patterns) for state, patterns in visible if patterns]
    rules.sort(key=lambda rule: (rule.name.casefold(), rule.hidden))
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
    found = [_rule(request, state, rule.streams) for state in await _named(request, name)]
    if not found:
        raise Refused(404, f"the rule {name!r} was saved, and removed meanwhile")
    return answer(found[0], 201 if is_new else 200)


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
    async with request.app[TRYING]:
        trial = await alerts_of(request).try_rule(rule, since, await streams_of(request, ()))
    newest = (TriedAlert(at=round(each.at, 3), event=shown(each.kept)) for each in trial.alerts[:MOST_TRIED])
    return answer(
        TriedRule(
            since=round(since, 3), count=trial.told, cooled=trial.cooled, complete=trial.is_whole, alerts=tuple(newest)
        )
    )


# ---- what others of its kind need too


def set_up(app: web.Application) -> None:
    """Have rules changed one after the other, and few tried at a time."""
    app[CHANGING], app[TRYING] = asyncio.Lock(), asyncio.Semaphore(AT_ONCE)


def alerts_of(request: web.Request) -> Alerts:
    """The archive's."""
    return request.app[ARCHIVE].alerts


def rounded(at: float | None) -> float | None:
    """A time to the millisecond, as all are told."""
    return None if at is None else round(at, 3)


async def visible_rule(request: web.Request, name: str) -> RuleState | None:
    """The rule of that name, if it looks at a stream that whoever asks may see; None: for him there is none."""
    return next(iter(await _visible(request, name)), None)


async def _visible(request: web.Request, name: str) -> list[RuleState]:
    """The one in force and the one it hides, as far as whoever asks may see them."""
    seen = await seen_streams(request)
    return [state for state in await _named(request, name) if patterns_seen(request[PRINCIPAL], state.rule, seen)]


async def _named(request: web.Request, name: str) -> list[RuleState]:
    """The one in force comes first."""
    named = [state for state in await alerts_of(request).rules(()) if state.rule.name == name]
    return sorted(named, key=lambda state: state.hidden)


async def _put(request: web.Request, rule: AlertRule) -> bool:
    async with request.app[CHANGING]:
        for before in await _named(request, rule.name):
            if before.origin == "here":
                _require_his(request, before)
        try:
            return await alerts_of(request).put_rule(rule, audited(request[PRINCIPAL]))
        except ConfigError as error:  # one of its outlets went away meanwhile
            raise Refused(422, str(error)) from None


async def _remove(request: web.Request, name: str) -> None:
    """One that the file hides, too."""
    async with request.app[CHANGING]:
        found = await _visible(request, name)
        if not found:
            raise Refused(404, f"there is no rule {name!r}")
        made = next((state for state in found if state.origin == "here"), None)
        if made is None:
            raise Refused(409, f"alerts.{name} stands in the configuration file, which alone can change it")
        _require_his(request, made)
        await alerts_of(request).remove_rule(name)


def _require_his(request: web.Request, state: RuleState) -> None:
    if not may_change(request[PRINCIPAL], state.rule):
        raise Refused(403, f"the rule {state.rule.name!r} looks at streams that are not all yours; choose another name")


def _rule(request: web.Request, state: RuleState, patterns: tuple[str, ...]) -> ShownRule:
    said: dict[str, Any] = {**state.rule.document(), "streams": list(patterns)}
    return ShownRule(
        name=state.rule.name,
        origin=state.origin,
        may_change=state.origin == "here" and may_change(request[PRINCIPAL], state.rule),
        hidden=state.hidden,
        rule=said,
        unknown_outlets=state.unknown_outlets,
        silenced_until=rounded(state.silenced_until),
        alerts=state.alerts,
        told=state.told,
        last_told_at=rounded(state.last_told_at),
    )
