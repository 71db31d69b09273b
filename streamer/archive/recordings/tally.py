"""What became of one stream's encoded pictures, in numbers that only rise."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Of one recorder, in whatever threads it writes."""

    taken: int = 0
    """Pictures that came, while there was anything to record."""
    written: int = 0
    """Of these, in files."""
    bytes: int = 0
    """On disk."""
    segments: int = 0
    """Files begun."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Pictures that were to be kept and were not, by reason."""
