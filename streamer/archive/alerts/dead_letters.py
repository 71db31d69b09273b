"""Letters that were given up, and what people do with them. All of it within somebody's transaction."""

from collections import Counter
from collections.abc import Collection

from streamer.archive.alerts.letter import Letter
from streamer.archive.alerts.outbox_row import COLUMNS, letter_of, ms
from streamer.archive.alerts.outbox_table import add, next_number
from streamer.archive.alerts.outlet_sums import Sums
from streamer.archive.database import Cursor
from streamer.archive.event_table import in_parts

_LETTERS = f"SELECT {', '.join(COLUMNS)} FROM outbox"  # noqa: S608  of our own words
_DEAD = "outlet = ? AND died_ms IS NOT NULL"
NOBODY = "there is no such outlet any more"
"""The error of one whose outlet is gone."""


def page(cursor: Cursor, outlet: str, before: int | None, limit: int) -> list[Letter]:
    """Newest first.

    Args:
        cursor: of the transaction.
        outlet: whose.
        before: the number of the last one of the page before; None: from the newest on.
        limit: at the most so many.
    """
    older, value = ("", ()) if before is None else (" AND number < ?", (before,))
    sql = f"{_LETTERS} WHERE {_DEAD}{older} ORDER BY number DESC LIMIT ?"
    return [letter_of(row) for row in cursor.all(sql, (outlet, *value, limit))]


def resend(cursor: Cursor, outlet: str, ids: Collection[str] | None, now: float) -> int:
    """Have them wait again as if they were new, behind all that waits, in their old order; returns how many.

    They keep their ids: whoever was told after all knows them by those.
    """
    old = _numbers(cursor, outlet, ids)
    first = next_number(cursor, len(old))
    sql = "UPDATE outbox SET number = ?, queued_ms = ?, due_ms = ?, attempts = 0, died_ms = NULL WHERE number = ?"
    cursor.run_many(sql, [(first + place, ms(now), ms(now), number) for place, number in enumerate(old)])
    add(cursor, outlet, Sums(waiting=len(old), dead=-len(old)), now)
    return len(old)


def discard(cursor: Cursor, outlet: str, ids: Collection[str] | None, now: float) -> int:
    """Without them; returns how many."""
    numbers = _numbers(cursor, outlet, ids)
    cursor.run_many("DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers])
    add(cursor, outlet, Sums(dead=-len(numbers)), now)
    return len(numbers)


def forget(cursor: Cursor, before: float, limit: int) -> int:
    """Let go of those that were given up before then, at most so many; returns how many."""
    sql = (
        "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE died_ms < ? ORDER BY died_ms LIMIT ?)"
        " RETURNING outlet"
    )
    gone = Counter(outlet for (outlet,) in cursor.all(sql, (ms(before), limit)))
    for outlet, count in gone.items():
        add(cursor, outlet, Sums(dead=-count), before)
    return gone.total()


def bury_of_nobody(cursor: Cursor, outlet: str, before: float, now: float, limit: int) -> int:
    """Give up what waits since before then for an outlet that is gone, at most so many; returns how many."""
    oldest = "SELECT number FROM outbox WHERE outlet = ? AND died_ms IS NULL AND queued_ms < ? ORDER BY number LIMIT ?"
    sql = f"UPDATE outbox SET died_ms = ?, error = ? WHERE number IN ({oldest})"  # noqa: S608
    died = cursor.run(sql, (ms(now), NOBODY, outlet, ms(before), limit))
    if died:
        add(cursor, outlet, Sums(waiting=-died, dead=died), now)
    return died


def _numbers(cursor: Cursor, outlet: str, ids: Collection[str] | None) -> list[int]:
    """Of those of these ids that are dead ones of this outlet, all where there are none; in order."""
    if ids is None:
        return [row[0] for row in cursor.all(f"SELECT number FROM outbox WHERE {_DEAD} ORDER BY number", (outlet,))]  # noqa: S608
    found: list[int] = []
    for some in in_parts(sorted(set(ids))):
        sql = f"SELECT number FROM outbox WHERE {_DEAD} AND id IN ({', '.join('?' * len(some))})"  # noqa: S608
        found += [row[0] for row in cursor.all(sql, (outlet, *some))]
    return sorted(found)
