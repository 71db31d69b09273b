"""Who may see a rule, and who may change it: that depends on the streams it looks at.

A rule is his who may operate each stream that its patterns may ever mean, and seen by who sees one of those there are.
"""

from collections.abc import Iterable

from aiohttp import web

from streamer.access.action import Action
from streamer.access.principal import Principal
from streamer.http.gate import DOING
from streamer.http.kept_events import ARCHIVE
from streamer.http.keys import stream_names
from streamer.http.needs import PRINCIPAL
from streamer.values.alert import AlertRule
from streamer.values.errors import Refused


async def seen_streams(request: web.Request) -> frozenset[str]:
    """All streams that there are, or that something is kept of, and that whoever asks may see."""
    known = set(stream_names(request.app)) | set(await request.app[ARCHIVE].streams())
    return frozenset(filter(request[PRINCIPAL].sees, known))


def patterns_seen(principal: Principal, rule: AlertRule, seen: Iterable[str]) -> tuple[str, ...]:
    """Of a rule's streams, those that somebody may be told; none: for him there is no such rule.

    Args:
        principal: he.
        rule: it.
        seen: names of streams he sees.
    """
    names = tuple(seen)
    return tuple(
        pattern
        for pattern in rule.streams
        if principal.may_all(Action.VIEW, pattern) or any(AlertRule("", (pattern,)).covers(name) for name in names)
    )


def may_change(principal: Principal, rule: AlertRule) -> bool:
    """Whether all its streams are his to operate."""
    return all(principal.may_all(Action.OPERATE, pattern) for pattern in rule.streams)


def require_all(request: web.Request, rule: AlertRule) -> None:
    """Refuse who may not operate each stream of a rule.

    Raises:
        Refused: 403; names the first that is not his.
    """
    principal = request[PRINCIPAL]
    for pattern in rule.streams:
        if not principal.may_all(Action.OPERATE, pattern):
            raise Refused(403, f"streams: {pattern!r} means streams that are not {principal.name}'s; {_his(principal)}")


def require_everywhere(request: web.Request, what: str) -> None:
    """Refuse who may not operate every stream.

    Args:
        request: his.
        what: of which that is asked, as a sentence begins.

    Raises:
        Refused: 403.
    """
    principal = request[PRINCIPAL]
    if not principal.may_everywhere(Action.OPERATE):
        raise Refused(403, f"{what} is for who operates every stream; {_his(principal)}")


def _his(principal: Principal) -> str:
    patterns = (name for grant in principal.grants if Action.OPERATE in grant.actions for name in grant.streams)
    return (
        f"{DOING[Action.OPERATE]} is allowed to {principal.name} under the names {', '.join(dict.fromkeys(patterns))}"
    )
