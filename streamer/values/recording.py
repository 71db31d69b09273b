"""What a stream's settings say of its recording, and what becomes of that. Values."""

from dataclasses import dataclass
from typing import Literal, get_args

RecordMode = Literal["off", "events", "continuous"]
RecordWord = Literal["off", "waiting", "recording", "behind", "full", "stuck", "failing", "unsupported"]
"""What becomes of a stream's video now. Nothing, as it should be: `off`. Nothing yet: `waiting`. It is kept:
`recording`. Not all of it, the disk is too slow: `behind`. Nothing, as the reason says: the disk is `full` or `stuck`,
writing fails otherwise: `failing`, MP4 cannot hold the codec: `unsupported`."""
RECORD_WORDS: tuple[RecordWord, ...] = get_args(RecordWord)


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


@dataclass(frozen=True, slots=True)
class RecordState:
    """What becomes of a stream's video now."""

    word: RecordWord
    reason: str | None = None
    """Why nothing, or not all of it, is kept, as a sentence."""
