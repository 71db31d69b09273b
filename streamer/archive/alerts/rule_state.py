"""Which rules are in force, and how each stands. Values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from streamer.archive.alerts.alert_table import Tally
from streamer.archive.alerts.rule_table import MadeRule
from streamer.values.alert import AlertRule, Silence, Telling


@dataclass(frozen=True, slots=True)
class RuleState:
    """One rule."""

    rule: AlertRule
    origin: Literal["file", "here"]
    """Of the configuration, or made by the API."""
    by: str
    """Who made it; "" of the file."""
    made_at: float | None
    hidden: bool
    """Made here, and not in force: the file has one of that name."""
    unknown_outlets: tuple[str, ...]
    """That it names and that are none: nobody is told there."""
    alerts: int
    """Of the last day."""
    told: int
    """Of those."""
    last_at: float | None
    last_told_at: float | None
    silenced_until: float | None
    """Whatever the stream: UTC, seconds since 1970; None: it is not."""


def in_force(said: Telling, made: Sequence[MadeRule]) -> Telling:
    """What is told by the file's rules and those that were made; of two of one name, the file's."""
    names = {rule.name for rule in said.rules}
    more = tuple(each.rule for each in made if each.rule.name not in names)
    return Telling(said.rules + more, said.all_events, said.all_ends)


def states(
    said: Telling,
    made: Sequence[MadeRule],
    *,
    outlets: Sequence[str],
    tallies: Mapping[str, Tally],
    silences: Sequence[Silence],
) -> list[RuleState]:
    """Of all, the file's first.

    Args:
        said: by the file.
        made: by the API.
        outlets: names of all there are.
        tallies: what came of rules, by name.
        silences: in force.
    """
    names = {rule.name for rule in said.rules}

    def state(rule: AlertRule, made: MadeRule | None) -> RuleState:
        hidden = made is not None and rule.name in names
        tally = Tally() if hidden else tallies.get(rule.name, Tally())
        covering = [each.until for each in silences if each.stream is None and each.rule in (None, rule.name)]
        return RuleState(
            rule,
            origin="file" if made is None else "here",
            by="" if made is None else made.by,
            made_at=None if made is None else made.at,
            hidden=hidden,
            unknown_outlets=tuple(name for name in rule.outlets if name not in outlets),
            alerts=tally.alerts,
            told=tally.told,
            last_at=tally.last_at,
            last_told_at=tally.last_told_at,
            silenced_until=max(covering, default=None),
        )

    return [state(rule, None) for rule in said.rules] + [state(each.rule, each) for each in made]
