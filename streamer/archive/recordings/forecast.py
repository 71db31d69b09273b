"""How many days of recordings there is room for, at the rate of the last day. Pure."""

from collections.abc import Mapping
from math import inf

from streamer.archive.recordings.rules import DAY, RecordingRules

LEAST = 600.0
"""Seconds of recording from which a rate is told: a stream that has just begun says nothing of a day."""


def rate(size: int, since: float, now: float) -> float | None:
    """Bytes a day; None: it is too soon to tell.

    Args:
        size: bytes recorded in the last day.
        since: when the oldest of all that is recorded of the stream began: UTC, seconds since 1970.
        now: the same clock.
    """
    seconds = min(DAY, now - since)
    return None if seconds < LEAST else size / seconds * DAY


def days_that_fit(rates: Mapping[str, float], rules: RecordingRules, room: float) -> dict[str, float]:
    """By stream, of those that record anything: by the disk, by what all may have together, and by its own limit.

    Args:
        rates: bytes a day of each.
        rules: what may be kept.
        room: bytes of what is held, and of what there is room for beside it; infinite where nobody knows.
    """
    together = sum(rates.values())
    if rules.keep_bytes is not None:
        room = min(room, rules.keep_bytes)
    limits = {stream: limit / rates[stream] for stream, limit in rules.limits().items() if rates.get(stream)}
    return {stream: min(room / together, limits.get(stream, inf)) for stream, each in rates.items() if each > 0}
