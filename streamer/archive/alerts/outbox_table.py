"""The outbox: what outlets are to be told, until they were. All of it within somebody's transaction.

Of one outlet, what concerns one stream is told in the order of its numbers, and a number is given once.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from streamer.archive.alerts import outlet_sums
from streamer.archive.alerts.letter import Draft, Letter, Queue
from streamer.archive.alerts.outbox_row import COLUMNS, letter_of, ms, row_of, text_of
from streamer.archive.alerts.outlet_sums import Sums
from streamer.archive.database import Cursor
from streamer.archive.event_table import in_parts
from streamer.values.notification import Notification
from streamer.values.uuid7 import uuid7

MOST_WAITING = 100_000
"""Letters of one outlet; then the oldest are given up."""
MOST_DEAD = 10_000
"""Of one outlet; then the oldest are lost, and counted."""
NO_ROOM = "too many waited"
"""The error of one that was given up for that."""

_PUT = f"INSERT INTO outbox ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_WAITING = "FROM outbox WHERE outlet = ? AND died_ms IS NULL"
_HEADS = (
    f"WITH RECURSIVE waiting (stream) AS (SELECT MIN(stream) {_WAITING} UNION ALL"  # noqa: S608  of our own words
    f" SELECT (SELECT MIN(stream) {_WAITING} AND stream > waiting.stream) FROM waiting WHERE stream IS NOT NULL),"
    f" head (number) AS (SELECT (SELECT MIN(number) {_WAITING} AND stream = waiting.stream) FROM waiting)"
)
"""The oldest of each stream, read from stream to stream: as many steps as there are streams, however many wait."""


def put(cursor: Cursor, drafts: Sequence[Draft], now: float) -> list[Notification]:
    """Have them wait, due now, in this order behind all that does.

    Args:
        cursor: of the transaction.
        drafts: what is to be told.
        now: UTC, seconds since 1970.
    """
    if not drafts:
        return []
    first = next_number(cursor, len(drafts))
    made = [
        Notification(uuid7(now), number, each.outlet, each.kind, each.stream, each.rule, each.event, now, queued_at=now)
        for number, each in enumerate(drafts, first)
    ]
    texts: dict[int, str] = {}
    for draft in drafts:  # many are of one event
        if id(draft.event) not in texts:
            texts[id(draft.event)] = text_of(draft.event)
    cursor.run_many(_PUT, [row_of(Letter(each, now), texts[id(each.event)]) for each in made])
    for outlet, count in Counter(each.outlet for each in made).items():
        add(cursor, outlet, Sums(waiting=count), now)
    return made


def next_number(cursor: Cursor, count: int) -> int:
    """The first of so many, which nothing else will have, be it removed or not."""
    ((last,),) = cursor.all("UPDATE outbox_number SET last = last + ? RETURNING last", (count,))
    return int(last) - count + 1


def last_number(cursor: Cursor) -> int:
    """That was given to a letter: another, and there are new ones, or some that are sent again."""
    return int(cursor.all("SELECT last FROM outbox_number")[0][0])


def due(cursor: Cursor, outlet: str, now: float, limit: int, besides: Collection[str] = ()) -> list[Notification]:
    """The oldest of each stream, where that is due, but of `besides`; in order."""
    columns = ", ".join(f"outbox.{name}" for name in COLUMNS)
    sql = (
        f"{_HEADS} SELECT {columns} FROM head JOIN outbox ON outbox.number = head.number"  # noqa: S608
        f" WHERE outbox.due_ms <= ?{_but(besides)} ORDER BY outbox.number LIMIT ?"
    )
    rows = cursor.all(sql, (outlet, outlet, outlet, ms(now), *besides, limit))
    return [letter_of(row).notification for row in rows]


def next_due(cursor: Cursor, outlet: str, besides: Collection[str] = ()) -> float | None:
    """When the first of those is due; None: none waits."""
    sql = (
        f"{_HEADS} SELECT MIN(outbox.due_ms) FROM head JOIN outbox ON outbox.number = head.number"  # noqa: S608
        f" WHERE outbox.outlet = ?{_but(besides)}"
    )
    ((due_ms,),) = cursor.all(sql, (outlet, outlet, outlet, outlet, *besides))
    return None if due_ms is None else due_ms / 1000


def queues(cursor: Cursor, outlets: Collection[str] | None = None) -> dict[str, Queue]:
    """What these outlets are to be told, in figures, by name; None: all that ever had a letter."""
    sums = outlet_sums.of(cursor)
    return {
        outlet: _queue(cursor, outlet, sums.get(outlet, Sums())) for outlet in (sums if outlets is None else outlets)
    }


def _queue(cursor: Cursor, outlet: str, sums: Sums) -> Queue:
    if not sums.waiting:
        return Queue(0, sums.dead, sums.lost)
    sql = f"{_HEADS} SELECT MIN(outbox.queued_ms) FROM head JOIN outbox ON outbox.number = head.number"  # noqa: S608
    ((oldest_ms,),) = cursor.all(sql, (outlet, outlet, outlet))
    return Queue(sums.waiting, sums.dead, sums.lost, None if oldest_ms is None else oldest_ms / 1000)


def sent(cursor: Cursor, numbers: Sequence[int], now: float) -> set[str]:
    """These were told: they are no more, be they given up meanwhile or not; returns whose they were."""
    outlets = set()
    for some in in_parts(numbers):
        sql = f"DELETE FROM outbox WHERE number IN ({', '.join('?' * len(some))}) RETURNING outlet, died_ms"  # noqa: S608
        gone = Counter((outlet, died_ms is None) for outlet, died_ms in cursor.all(sql, some))
        for (outlet, waited), count in gone.items():
            add(cursor, outlet, Sums(waiting=-count) if waited else Sums(dead=-count), now)
            outlets.add(outlet)
    return outlets


def postpone(cursor: Cursor, number: int, due_at: float, error: str) -> None:
    """An attempt failed; the next is due then."""
    sql = "UPDATE outbox SET attempts = attempts + 1, due_ms = ?, error = ? WHERE number = ? AND died_ms IS NULL"
    cursor.run(sql, (ms(due_at), error, number))


def bury(cursor: Cursor, number: int, error: str, now: float) -> set[str]:
    """An attempt failed, and there will be no other; returns whose it was."""
    sql = (
        "UPDATE outbox SET attempts = attempts + 1, died_ms = ?, error = ? WHERE number = ? AND died_ms IS NULL"
        " RETURNING outlet"
    )
    outlets = {outlet for (outlet,) in cursor.all(sql, (ms(now), error, number))}
    for outlet in outlets:
        add(cursor, outlet, Sums(waiting=-1, dead=1), now)
    return outlets


def add(cursor: Cursor, outlet: str, more: Sums, now: float) -> None:
    """Keep count, and make room where there are too many: the oldest are given up, and the oldest of those lost."""
    sums = outlet_sums.add(cursor, outlet, more)
    if sums.waiting > MOST_WAITING:
        oldest = f"SELECT number {_WAITING} ORDER BY number LIMIT ?"
        sql = f"UPDATE outbox SET died_ms = ?, error = ? WHERE number IN ({oldest})"  # noqa: S608
        died = cursor.run(sql, (ms(now), NO_ROOM, outlet, sums.waiting - MOST_WAITING))
        sums = outlet_sums.add(cursor, outlet, Sums(waiting=-died, dead=died))
    if sums.dead > MOST_DEAD:
        oldest = "SELECT number FROM outbox WHERE outlet = ? AND died_ms IS NOT NULL ORDER BY number LIMIT ?"
        gone = cursor.run(f"DELETE FROM outbox WHERE number IN ({oldest})", (outlet, sums.dead - MOST_DEAD))  # noqa: S608
        outlet_sums.add(cursor, outlet, Sums(dead=-gone, lost=gone))


def _but(besides: Collection[str]) -> str:
    return f" AND outbox.stream NOT IN ({', '.join('?' * len(besides))})" if besides else ""
