"""How long something took, counted by how long: what a histogram of Prometheus is read from. Plain integers."""

from bisect import bisect_left
from collections.abc import Iterator

BOUNDS = (0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2, 0.5, 1.0)
"""Seconds of a part. Few, for there is one for each stage of each stream."""
WHOLE = (0.03, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0)
"""Seconds of a whole way, close where its targets lie."""


class Distribution:
    """Of seconds."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """How often it was observed."""
        return sum(self._counts)

    def observe(self, seconds: float) -> None:
        """It took so long."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each upper bound as Prometheus writes it, and how often it took no longer."""
        total = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield bound, float(total)
