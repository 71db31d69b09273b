"""How long recordings stay, as the configuration has it. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamer.values.recording import Recording

DAY = 86_400.0
GB = 10**9
USUAL_FREE = 5 * GB
USUAL_FREE_SHARE = 20
"""Of a small disk, that part is kept free instead,"""
LEAST_FREE = GB // 2
"""but no less than this: where half of it is left, recorders write no more."""


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """Of all streams together, and of those that have rules of their own. What bookmarked events need stays."""

    keep_days: float = 7.0
    keep_event_days: float = 30.0
    keep_boxes_days: float = 90.0
    keep_bytes: int | None = None
    """Of all streams; then what has used up most of its days goes."""
    min_free_bytes: int | None = None
    """Of the disk; None: USUAL_FREE, or of a small disk the twentieth part."""
    keep_local_days: float | None = None
    """That a file stays on this machine once it is in object storage; None: there is no object storage."""
    of_streams: Mapping[str, Recording] = field(default_factory=dict)
    are_known: bool = True
    """False: it has not been heard yet what streams say. Until then all of them stay."""
    unknown: frozenset[str] = frozenset()
    """Streams that have rules of their own which cannot be read here: theirs stay, or go by another replica."""

    def days(self, stream: str | None, *, has_event: bool) -> float:
        """How long a stream's stay; None: of those without rules of their own.

        What lives longest under any rule wins: events of a stream that keeps everything for long stay as long.
        """
        recording = None if stream is None else self.of_streams.get(stream)
        own = None if recording is None else recording.keep_days
        days = self.keep_days if own is None else own
        return max(days, self.keep_event_days) if has_event else days

    @property
    def with_own_days(self) -> tuple[str, ...]:
        """The streams that have days of their own."""
        return tuple(sorted(name for name, each in self.of_streams.items() if each.keep_days is not None))

    def limits(self) -> Mapping[str, int]:
        """Bytes a stream may have, of those that have a limit."""
        return {name: each.keep_bytes for name, each in self.of_streams.items() if each.keep_bytes is not None}

    def margins(self, stream: str) -> tuple[float, float]:
        """Seconds before and after an event of a stream that are recorded with it."""
        recording = self.of_streams.get(stream, Recording())
        return recording.before, recording.after

    def missing(self, free: int, disk: int) -> int:
        """Bytes that must go for the disk to have as much room as it shall.

        Args:
            free: bytes that can still be written.
            disk: bytes of the whole.
        """
        return max(0, self.least_free(disk) - free)

    def least_free(self, disk: int) -> int:
        """Bytes that shall be free on a disk of so many."""
        if self.min_free_bytes is not None:
            return self.min_free_bytes
        return max(LEAST_FREE, min(USUAL_FREE, disk // USUAL_FREE_SHARE))
