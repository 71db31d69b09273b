"""How one outlet fares. A value."""

from dataclasses import dataclass
from typing import Literal

OutletStatus = Literal["ok", "failing", "off"]
"""off: it said that it wants nothing any more, and is told nothing until a person asks it again."""


@dataclass(frozen=True, slots=True)
class OutletState:
    """Since the service started, or since what the configuration says of it changed."""

    name: str
    kind: Literal["webhook", "mqtt"]
    place: str
    """Its host and no more: the rest of its address may be a secret."""
    recipe: str | None = None
    """In whose words it is told; None: it is the broker."""
    status: OutletStatus = "ok"
    failing_since: float | None = None
    """When the first attempt failed of those since one that did not: UTC, seconds since 1970."""
    error: str = ""
    """What came of the last one that failed; "" once one did not."""
    sent: int = 0
    """Notifications that it has."""
    retried: int = 0
    """Attempts that failed, and were to be followed by another."""
    dead: int = 0
    """Notifications that were given up."""
    last_sent_at: float | None = None
    """UTC, seconds since 1970."""
    ignored: int = 0
    """Commands that came from it and were none, or could not be obeyed; MQTT's alone."""
