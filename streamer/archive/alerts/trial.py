"""What a rule would have told, had it been there: tried on events that are kept, before it is saved. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamer.archive.kept import Kept
from streamer.values.alert import AlertRule


@dataclass(frozen=True, slots=True)
class TriedAlert:
    """One that there would have been."""

    at: float
    """When: UTC, seconds since 1970."""
    kept: Kept


@dataclass(frozen=True, slots=True)
class Trial:
    """Of one rule."""

    told: int
    """Alerts there would have been, without those that a cool-down would have kept back."""
    cooled: int
    """Those."""
    examined: int
    """Events that were looked at."""
    is_whole: bool
    """Whether that was all; else the newest were."""
    alerts: tuple[TriedAlert, ...]
    """The newest of those that would have been told, newest first."""


@dataclass(frozen=True, slots=True)
class Met:
    """An event that met the rule; no more of it than many can be held."""

    at: float
    event_id: str
    stream: str
    label: str


def met(rule: AlertRule, kept: Iterable[Kept]) -> list[Met]:
    """Those of these events that met it, in no order."""
    found = ((rule.met_at(each.event), each.event) for each in kept)
    return [Met(at, event.id, event.stream, event.label) for at, event in found if at is not None]


def told(rule: AlertRule, every: Iterable[Met]) -> list[Met]:
    """Those that no cool-down would have kept back, in the order they were met."""
    of_rule: list[float] = []
    of_thing: dict[tuple[str, str], list[float]] = {}
    found = []
    for each in sorted(every, key=lambda each: (each.at, each.event_id)):
        of_this = of_thing.setdefault((each.stream, each.label), [])
        if _is_cooling(of_rule, each.at, rule.rule_cooldown) or _is_cooling(of_this, each.at, rule.cooldown):
            continue
        of_rule.append(each.at)
        of_this.append(each.at)
        found.append(each)
    return found


def _is_cooling(before: list[float], at: float, seconds: float) -> bool:
    return bool(before) and round(1000 * at) - round(1000 * before[-1]) < 1000 * seconds
