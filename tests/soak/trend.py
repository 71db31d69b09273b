"""Whether something grows: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

MEMORY_SLOPE = 0.5
"""Megabytes a minute that are none: what an allocator's arenas do by themselves."""
WINDOW = 20.0
"""Seconds of which the least memory counts."""
COUNT_ROOM = 3
"""Descriptors, threads or tasks that may be there more in the end: a connection kept alive, a pool's last thread."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds at one moment."""

    at: float
    """Seconds, monotonic."""
    megabytes: float
    """Resident."""
    descriptors: int
    threads: int
    tasks: int
    """Of the event loop."""


def slope(points: Sequence[tuple[float, float]]) -> float:
    """What a line through points rises in a minute, by their median slope, which no single peak moves (Theil, 1950).

    Args:
        points: seconds and value, at least two.
    """
    rises = [(right[1] - left[1]) / (right[0] - left[0]) for left, right in combinations(points, 2)]
    return 60.0 * median(rises)


def floor(points: Sequence[tuple[float, float]], *, window: float = WINDOW) -> list[tuple[float, float]]:
    """The least of each window: what is held when least is going on. Pictures on their way come and go above it."""
    least = dict[int, tuple[float, float]]()
    for at, value in points:
        index = int((at - points[0][0]) // window)
        least[index] = min(least.get(index, (at, value)), (at, value), key=lambda each: each[1])
    return list(least.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What grew, a sentence each; nothing: nothing did."""

    memory_slope: float
    """Megabytes a minute, once settled."""
    complaints: list[str]


def judge(before: Footprint, during: Sequence[Footprint], after: Footprint, *, settled: float) -> Verdict:
    """Judge a run.

    Args:
        before: while nobody was there.
        during: under churn, in order.
        after: when everybody had left.
        settled: seconds after the first of `during` from which its memory counts.
    """
    counted = [(each.at, each.megabytes) for each in during if each.at - during[0].at >= settled]
    grown = slope(floor(counted))
    complaints = [] if grown <= MEMORY_SLOPE else [f"memory grows by {grown:.2f} MB a minute; {MEMORY_SLOPE} are none"]
    for noun in ("descriptors", "threads", "tasks"):
        were, are = getattr(before, noun), getattr(after, noun)
        if are > were + COUNT_ROOM:
            complaints.append(f"{are - were} {noun} were not given back: {were} before, {are} after")
    return Verdict(grown, complaints)
