"""One thing that one outlet is told, at least once. A value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

NotificationKind = Literal["alert", "alert_ended", "event_began", "event_ended", "test"]


@dataclass(frozen=True, slots=True)
class Notification:
    """As it stands in the outbox, written in the transaction of what it tells of."""

    id: str
    """A UUIDv7, the same at each attempt: whoever is told twice knows it by that."""
    number: int
    """Its place in the outbox: those of one outlet and stream are told in this order."""
    outlet: str
    """Who is told."""
    kind: NotificationKind
    stream: str
    """"" of a test."""
    rule: str | None
    """Whose alert it is; None: the outlet is told of all events."""
    event: Mapping[str, Any]
    """As the API shows it, as it was known then; empty of a test."""
    made_at: float
    """UTC, seconds since 1970."""
    attempts: int = 0
    """Made so far."""
    error: str = ""
    """What came of the last."""
    queued_at: float = 0.0
    """Since when it waits: it was made then, or a person had it sent again."""
