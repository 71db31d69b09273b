"""What a stream's settings say of its recording. A value, handed on whole by the configuration."""

from dataclasses import dataclass
from typing import Literal

RecordMode = Literal["off", "events", "continuous"]


@dataclass(frozen=True, slots=True)
class Recording:
    """One stream's."""

    mode: RecordMode = "off"
    before: float = 5.0
    """Seconds of video kept from before an event's beginning."""
    after: float = 10.0
    """Seconds kept from after its end."""
    labels: frozenset[str] = frozenset()
    """Of events that are recorded; empty: any."""
    zones: frozenset[str] = frozenset()
    """The same of zones that an event has been in."""
    sound: bool = False
    """Whether the camera's sound is kept too."""
    keep_days: float | None = None
    """That what is recorded stays. None: as the archive has it."""
    keep_bytes: int | None = None
    """Of this stream's; then its oldest goes. None: no limit of its own."""

    def wants(self, label: str, zones: tuple[str, ...]) -> bool:
        """Whether an event of that class, which has been in these zones, is one that is recorded."""
        return (not self.labels or label in self.labels) and (not self.zones or not self.zones.isdisjoint(zones))


OFF = Recording()
