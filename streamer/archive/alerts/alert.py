"""A rule that was met by an event, as it is kept. Values."""

from dataclasses import dataclass
from typing import Literal

from streamer.archive.kept import Kept

Outcome = Literal["told", "silenced", "cooled", "noted"]
"""What came of it: outlets are told; a silence, or a cool-down, kept it from them; or the rule has none to tell."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One; each rule has one of an event at the most."""

    id: str
    """A UUIDv7 of when the rule was met."""
    rule: str
    event_id: str
    stream: str
    label: str
    """The event's, as it was then."""
    at: float
    """When the rule was met: UTC, seconds since 1970."""
    outcome: Outcome
    outlets: tuple[str, ...] = ()
    """Who is told."""
    ends: tuple[str, ...] = ()
    """Who is still to be told of its end."""


@dataclass(frozen=True, slots=True)
class FoundAlert:
    """One and its event, as that is by now."""

    alert: Alert
    kept: Kept


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """All of these at once; None asks for nothing."""

    streams: tuple[str, ...] | None = None
    """Any of these; () is none, and there are no alerts of it."""
    rule: str | None = None
    outcome: Outcome | None = None
    since: float | None = None
    """Met then or later; UTC, seconds since 1970."""
    until: float | None = None
    """Met before."""
    before: str | None = None
    """The id of the last one of the page before: older ones follow."""
    limit: int = 50
