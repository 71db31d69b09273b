"""What may go of letters and silences, in small steps. Within somebody's transaction.

Alerts go with their events. Letters do not: what an outlet is to be told was so, whether the event is kept or not.
"""

from collections.abc import Collection

from streamer.archive.alerts import dead_letters, outlet_sums, silence_table
from streamer.archive.database import Cursor

STEP = 1000
"""Letters at a time."""
DAY = 86_400.0
PATIENCE = DAY
"""Seconds that letters wait for an outlet that is gone: whoever mistyped its name finds them where they were."""


def tidy(cursor: Cursor, now: float, outlets: Collection[str], dead_days: float) -> bool:
    """One step; whether there is more to do.

    Args:
        cursor: of the transaction.
        now: UTC, seconds since 1970.
        outlets: that there are.
        dead_days: that dead letters are kept.
    """
    silence_table.forget(cursor, now)
    counts = [dead_letters.forget(cursor, now - dead_days * DAY, STEP)]
    for outlet, sums in outlet_sums.of(cursor).items():
        if sums.waiting and outlet not in outlets:
            counts.append(dead_letters.bury_of_nobody(cursor, outlet, now - PATIENCE, now, STEP))
    return STEP in counts
