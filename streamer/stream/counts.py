"""What became of one stream's frames, in plain integers. Values."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """What happened to one stream's frames. Decoded = sampled + skipped, and sampled = results + dropped, always."""

    decoded: int = 0
    skipped: int = 0
    """Not chosen by the sampler, on purpose."""
    sampled: int = 0
    results: int = 0
    dropped: dict[tuple[str, str], int] = field(default_factory=dict)
    """Samples lost, by stage and reason."""
    detections: dict[str, int] = field(default_factory=dict)
    """By label."""

    def drop(self, stage: str, reason: str) -> None:
        """Count a sample lost."""
        self.dropped[stage, reason] = self.dropped.get((stage, reason), 0) + 1
