"""What is told to whom, as a rule says it. Values, and pure.

A *rule* looks at events; where one fits for the first time that is an *alert*, which is told to the rule's *outlets*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from fnmatch import fnmatchcase
from typing import Any

from streamer.values.event import Event
from streamer.values.hours import Hours, within


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One."""

    name: str
    streams: tuple[str, ...] = ("*",)
    """Names, or patterns with * and ?."""
    labels: frozenset[str] = frozenset()
    """Empty: any class."""
    zones: frozenset[str] = frozenset()
    """Of which it must have been in one; empty, with `lines`: anywhere."""
    lines: frozenset[str] = frozenset()
    """Of which it must have crossed one; with `zones`, either will do."""
    min_score: float = 0.0
    dwell: float = 0.0
    """Seconds that it must be there: in one of `zones`, where there are any and it is not over a line, else in view."""
    hours: tuple[Hours, ...] = ()
    """Empty: all day."""
    cooldown: float = 60.0
    """Seconds after an alert in which the rule says nothing more of the same thing."""
    rule_cooldown: float = 0.0
    """Seconds after an alert in which the rule says nothing at all."""
    outlets: tuple[str, ...] = ()
    """Names of who is told."""
    tell_end: bool = False
    """Tell of the event's end, too."""

    def covers(self, stream: str) -> bool:
        """Whether it looks at events of this stream."""
        return any(fnmatchcase(stream, pattern) for pattern in self.streams)

    def met_at(self, event: Event, zone: tzinfo | None = None) -> float | None:
        """When an event has met it, by what is known of it; cool-downs and silences are no matter of this.

        Args:
            event: as it is known by now.
            zone: by whose clock hours count; None: this machine's.

        Returns:
            UTC, seconds since 1970; None: it has not.
        """
        if not self.covers(event.stream) or event.score < self.min_score:
            return None
        if self.labels and event.label not in self.labels:
            return None
        moments = [at for at in self._moments(event) if within(self.hours, at, zone)]
        return min(moments, default=None)

    def document(self) -> dict[str, Any]:
        """As the configuration has it under its name; ready for JSON."""
        return {
            "streams": list(self.streams),
            "labels": sorted(self.labels),
            "zones": sorted(self.zones),
            "lines": sorted(self.lines),
            "min_score": self.min_score,
            "dwell": self.dwell,
            "hours": [str(hours) for hours in self.hours],
            "cooldown": self.cooldown,
            "rule_cooldown": self.rule_cooldown,
            "outlets": list(self.outlets),
            "tell_end": self.tell_end,
        }

    def _moments(self, event: Event) -> list[float]:
        """When it was where it must be, for as long as it must be."""
        if not self.zones and not self.lines:
            at = event.began_at + self.dwell
            return [at] if at <= event.last_at else []
        crossed = [mark.at for mark in event.marks if mark.kind == "cross" and mark.where in self.lines]
        stayed = [at for name in self.zones for at in _stays(event, name, self.dwell)]
        return crossed + stayed


def rule_of(name: str, document: Mapping[str, Any]) -> AlertRule:
    """What `document` gave; what it does not say is as the configuration has it where that says nothing.

    Raises:
        ConfigError: its hours are none.
    """
    otherwise = AlertRule(name).document()
    given = otherwise | {key: value for key, value in document.items() if key in otherwise}
    return AlertRule(
        name,
        tuple(given["streams"]),
        frozenset(given["labels"]),
        frozenset(given["zones"]),
        frozenset(given["lines"]),
        float(given["min_score"]),
        float(given["dwell"]),
        tuple(map(Hours.parse, given["hours"])),
        float(given["cooldown"]),
        float(given["rule_cooldown"]),
        tuple(given["outlets"]),
        bool(given["tell_end"]),
    )


def _stays(event: Event, zone: str, dwell: float) -> list[float]:
    """When it had been in a zone for so long, each time it was."""
    found: list[float] = []
    entered: float | None = None
    for mark in event.marks:
        if mark.where != zone or mark.kind not in ("enter", "leave"):
            continue
        if mark.kind == "enter":
            entered = mark.at
        elif entered is not None:
            found += [entered + dwell] if entered + dwell <= mark.at else []
            entered = None
    if entered is not None and entered + dwell <= event.last_at:
        found.append(entered + dwell)
    return found


@dataclass(frozen=True, slots=True)
class Telling:
    """All that is told to anybody."""

    rules: tuple[AlertRule, ...] = ()
    all_events: tuple[str, ...] = ()
    """Outlets that are told of each event's beginning and end, whatever the rules."""
    all_ends: tuple[str, ...] = ()
    """Outlets that are told of the end of each alert they were told of, whatever its rule says."""

    def dwells(self, stream: str) -> Sequence[float]:
        """After how many seconds of being there something may come of an event, in order."""
        return sorted({rule.dwell for rule in self.rules if rule.dwell > 0 and rule.covers(stream)})


@dataclass(frozen=True, slots=True)
class Silence:
    """For a time nobody is told."""

    id: str
    """A UUIDv7 of when it was made."""
    until: float
    """UTC, seconds since 1970."""
    rule: str | None = None
    """None: whatever the rule."""
    stream: str | None = None
    """None: whatever the stream."""
    by: str = ""
    made_at: float = 0.0

    def silences(self, rule: str, stream: str, at: float) -> bool:
        """Whether it keeps a rule's alert about a stream from being told at that moment."""
        return at < self.until and self.rule in (None, rule) and self.stream in (None, stream)
