"""What one outlet is to be told, as it stands in the outbox. Values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from streamer.values.notification import Notification, NotificationKind


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification without its place in the outbox."""

    outlet: str
    kind: NotificationKind
    stream: str
    rule: str | None
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification that stands there."""

    notification: Notification
    due_at: float
    """When the next attempt is due: UTC, seconds since 1970."""
    died_at: float | None = None
    """When it was given up; None: it was not."""

    @property
    def state(self) -> Literal["waiting", "dead"]:
        """In one word."""
        return "waiting" if self.died_at is None else "dead"


@dataclass(frozen=True, slots=True)
class Queue:
    """What one outlet is to be told, in figures."""

    waiting: int = 0
    dead: int = 0
    lost: int = 0
    """There was no room for them, ever."""
    oldest_at: float | None = None
    """Since when the one that waits longest does: UTC, seconds since 1970; None: none waits."""
