"""How long something took, counted by how long: what a histogram of Prometheus is read from. Plain integers."""

from bisect import bisect_left
from collections.abc import Iterator

BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0)
"""Seconds. Few, for there is one for each stage of each stream, and close where targets lie."""


class Distribution:
    """Of seconds."""

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """How often it was observed."""
        return sum(self._counts)

    def observe(self, seconds: float) -> None:
        """It took so long."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each upper bound as Prometheus writes it, and how often it took no longer."""
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._counts, strict=True):
            total += count
            yield bound, float(total)
