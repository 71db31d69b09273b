"""The section `alerts`: rules that say what is told to whom."""

from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.config.section import Name, Section, checked
from streamer.config.watching import MOST_PLACES, Share, checked_hours
from streamer.values.alert import AlertRule
from streamer.values.errors import ConfigError
from streamer.values.hours import Hours
from streamer.values.name import NAMES, is_pattern

MOST_RULES = 100
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Label = Annotated[str, Field(min_length=1, max_length=100)]


def _checked_pattern(value: str) -> str:
    if not is_pattern(value):
        raise ConfigError(f"{value!r} is no stream; allowed are {NAMES}, with * and ? for several")
    return value


Pattern = Annotated[str, AfterValidator(checked(_checked_pattern))]


class AlertSettings(Section):
    """One rule."""

    streams: list[Pattern] = Field(default_factory=lambda: ["*"], min_length=1, max_length=100)
    labels: list[Label] = Field(default_factory=list, max_length=MOST_PLACES)
    """Empty: any class."""
    zones: list[Name] = Field(default_factory=list, max_length=MOST_PLACES)
    """Of which a thing must have been in one."""
    lines: list[Name] = Field(default_factory=list, max_length=MOST_PLACES)
    """Of which it must have crossed one; with `zones`, either will do."""
    min_score: Share = 0.0
    dwell: Seconds = 0.0
    """That it must be there: in a zone where there are any, else in view."""
    hours: list[Annotated[str, AfterValidator(checked(checked_hours))]] = Field(
        default_factory=list, max_length=MOST_PLACES
    )
    """Spans of the day, such as 22:00-06:00, by this machine's clock; empty: all day."""
    cooldown: Seconds = 60.0
    """After an alert, in which the rule says nothing more of the same thing."""
    rule_cooldown: Seconds = 0.0
    """After an alert, in which the rule says nothing at all."""
    outlets: list[Name] = Field(default_factory=list, max_length=MOST_PLACES)
    """Names under `webhooks`, or `mqtt`. Empty: alerts are noted, and nobody is told."""
    tell_end: bool = False
    """Tell of the end, too."""

    def value(self, name: str) -> AlertRule:
        """As it is handed on."""
        return AlertRule(
            name,
            tuple(self.streams),
            frozenset(self.labels),
            frozenset(self.zones),
            frozenset(self.lines),
            self.min_score,
            self.dwell,
            tuple(map(Hours.parse, self.hours)),
            self.cooldown,
            self.rule_cooldown,
            tuple(self.outlets),
            self.tell_end,
        )
