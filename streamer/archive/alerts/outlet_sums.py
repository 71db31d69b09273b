"""How many letters of each outlet wait and are dead, kept running: counting them takes longer than writing one.

All of it within somebody's transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.archive.database import Cursor


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one outlet, or what is added to one's."""

    waiting: int = 0
    dead: int = 0
    lost: int = 0


_ADD = (
    "INSERT INTO outlet_sum (outlet, waiting, dead, lost) VALUES (?, ?, ?, ?) ON CONFLICT (outlet) DO UPDATE SET"
    " waiting = outlet_sum.waiting + excluded.waiting, dead = outlet_sum.dead + excluded.dead,"
    " lost = outlet_sum.lost + excluded.lost RETURNING waiting, dead, lost"
)


def add(cursor: Cursor, outlet: str, more: Sums) -> Sums:
    """What there is then."""
    ((waiting, dead, lost),) = cursor.all(_ADD, (outlet, more.waiting, more.dead, more.lost))
    return Sums(waiting, dead, lost)


def of(cursor: Cursor) -> Mapping[str, Sums]:
    """Of every outlet that ever had a letter, by name."""
    rows = cursor.all("SELECT outlet, waiting, dead, lost FROM outlet_sum")
    return {outlet: Sums(waiting, dead, lost) for outlet, waiting, dead, lost in rows}
