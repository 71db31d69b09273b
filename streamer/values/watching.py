"""What a stream's settings say of its events. A value, handed on whole by the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamer.values.place import NOWHERE, Places

ABOVE = 0.1
"""How much more than to be drawn a thing must score to become an event, unless something else is said."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """For things of one class."""

    min_score: float | None = None
    """That two of the last three samples must have. None: ABOVE the stream's own."""
    end_after: float = 2.0
    """Seconds of answered samples without it after which it has ended."""


@dataclass(frozen=True, slots=True)
class Watching:
    """All of one stream."""

    rule: EventRule = EventRule()
    of_label: Mapping[str, EventRule] = field(default_factory=dict)
    """For classes that have a rule of their own."""
    places: Places = NOWHERE
