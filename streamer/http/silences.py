"""`/api/silences`: for a time nobody is told; of a stream, by a rule, or of anything."""

from dataclasses import dataclass

from aiohttp import web

from streamer.access.action import Action
from streamer.http.access_keys import ACCESS
from streamer.http.alert_rights import may_change, patterns_seen, require_all, require_everywhere, seen_streams
from streamer.http.alerts import AWAY, alerts_of, visible_rule
from streamer.http.audit import audited, note
from streamer.http.bodies.silence import NewSilence, ShownSilence, ShownSilences
from streamer.http.changes import whole
from streamer.http.gate import require
from streamer.http.json_body import FITS, answer, body_of
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.values.alert import AlertRule, Silence
from streamer.values.errors import Refused
from streamer.values.uuid7 import PATTERN

routes = web.RouteTableDef()

LIST = "/api/silences"
ONE = f"{LIST}/{{silence:{PATTERN}}}"
TOO_MANY = {409: "there are as many as may be"}


@routes.get(LIST)
@needs(Action.VIEW)
@described({200: ShownSilences, **AWAY})
async def list_silences(request: web.Request) -> web.Response:
    """Those in force that have to do with a stream one may see."""
    looker = await _looker(request)
    found = [silence for silence in await alerts_of(request).silences() if looker.sees(silence)]
    found.sort(key=lambda silence: -silence.until)
    return answer(ShownSilences(silences=tuple(map(looker.shown, found))))


@routes.post(LIST)
@needs(Action.OPERATE)
@described({201: ShownSilence, **TOO_MANY, **FITS, **AWAY}, body=NewSilence)
async def make(request: web.Request) -> web.Response:
    """Have nobody told for some time. It takes the place of one of the same rule and stream."""
    new = await body_of(request, NewSilence)
    if new.rule is not None:
        state = await visible_rule(request, new.rule)
        if state is None:
            raise Refused(422, f"rule: there is no rule {new.rule!r}")
        if new.stream is None:
            require_all(request, state.rule)
    if new.stream is not None:
        require(request, Action.OPERATE, new.stream)
        if new.stream not in await seen_streams(request):
            raise Refused(422, f"stream: there is no stream {new.stream!r}, and nothing is kept of one")
    elif new.rule is None:
        require_everywhere(request, "silencing everything")
    detail = f"{new.seconds} s"
    made = await whole(
        request, _made(request, new), lambda made: note(request, "silence add", _words(made), detail=detail)
    )
    return answer((await _looker(request)).shown(made), 201)


@routes.delete(ONE)
@needs(Action.OPERATE)
@described({204: None, **AWAY})
async def end(request: web.Request) -> web.Response:
    """End a silence before its time."""
    looker, id_ = await _looker(request), request.match_info["silence"]
    found = [each for each in await alerts_of(request).silences() if each.id == id_ and looker.sees(each)]
    if not found:
        raise Refused(404, "there is no such silence; it may have ended")
    [silence] = found
    if not looker.may_end(silence):
        raise Refused(403, f"this silence is about streams that are not all {request[PRINCIPAL].name}'s")
    ending = alerts_of(request).unsilence(id_)
    await whole(request, ending, lambda _: note(request, "silence end", _words(silence)))
    return web.Response(status=204)


async def _made(request: web.Request, new: NewSilence) -> Silence:
    until = request.app[ACCESS].wall() + new.seconds
    return await alerts_of(request).silence(until, rule=new.rule, stream=new.stream, by=audited(request[PRINCIPAL]))


@dataclass(frozen=True, slots=True)
class _Looker:
    """Who asks, and what there is for him."""

    request: web.Request
    rules: dict[str, AlertRule]
    seen: frozenset[str]
    """Names of streams he sees; of who sees all of them, none."""

    def sees(self, silence: Silence) -> bool:
        """Whether it is about something that he may see. One of a rule that is gone is seen by who sees everything."""
        principal = self.request[PRINCIPAL]
        if silence.stream is not None:
            return principal.sees(silence.stream)
        if silence.rule is None:
            return True
        rule = self.rules.get(silence.rule)
        if rule is None:
            return principal.may_everywhere(Action.VIEW)
        return bool(patterns_seen(principal, rule, self.seen))

    def may_end(self, silence: Silence) -> bool:
        """Whether all that it is about is his to operate."""
        principal = self.request[PRINCIPAL]
        if silence.stream is not None:
            return principal.may(Action.OPERATE, silence.stream)
        rule = None if silence.rule is None else self.rules.get(silence.rule)
        return principal.may_everywhere(Action.OPERATE) if rule is None else may_change(principal, rule)

    def shown(self, silence: Silence) -> ShownSilence:
        """As he is told of it."""
        return ShownSilence(
            id=silence.id,
            until=round(silence.until, 3),
            rule=silence.rule,
            stream=silence.stream,
            by=silence.by,
            made_at=round(silence.made_at, 3),
            may_end=self.may_end(silence),
        )


async def _looker(request: web.Request) -> _Looker:
    rules = {rule.name: rule for rule in alerts_of(request).telling.rules}
    sees_all = request[PRINCIPAL].may_everywhere(Action.VIEW)  # who does is not asked which: every page asks for these
    return _Looker(request, rules, frozenset() if sees_all else await seen_streams(request))


def _words(silence: Silence) -> str:
    of = {"rule": silence.rule, "stream": silence.stream}
    return ", ".join(f"{what} {name}" for what, name in of.items() if name is not None) or "everything"
