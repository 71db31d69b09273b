"""The table of silences. All of it within somebody's transaction."""

from streamer.archive.alerts.outbox_row import ms
from streamer.archive.database import Cursor
from streamer.values.alert import Silence

REMEMBERED = 86_400.0
"""Seconds that one is kept after its end: what was met in it may be kept only later, and is not told then either."""
MOST_ENDED = 1000
"""That are kept so, those that ended last: whoever makes and ends them all day fills no disk, and each event's
transaction reads them.
"""


def put(cursor: Cursor, silence: Silence) -> None:
    """Keep it."""
    sql = "INSERT INTO silence (id, until_ms, rule, stream, made_by, made_ms) VALUES (?, ?, ?, ?, ?, ?)"
    values = (silence.id, ms(silence.until), silence.rule, silence.stream, silence.by, ms(silence.made_at))
    cursor.run(sql, values)


def all_(cursor: Cursor, since: float) -> list[Silence]:
    """Those that were in force then or later, by when they end."""
    sql = "SELECT id, until_ms, rule, stream, made_by, made_ms FROM silence WHERE until_ms > ? ORDER BY until_ms, id"
    return [
        Silence(id_, until_ms / 1000, rule, stream, by, made_ms / 1000)
        for id_, until_ms, rule, stream, by, made_ms in cursor.all(sql, (ms(since),))
    ]


def end(cursor: Cursor, id_: str, now: float) -> bool:
    """End one now; whether it was in force."""
    was = bool(cursor.run("UPDATE silence SET until_ms = ? WHERE id = ? AND until_ms > ?", (ms(now), id_, ms(now))))
    newest = "SELECT id FROM silence WHERE until_ms <= ? ORDER BY until_ms DESC, id DESC LIMIT ?"
    sql = f"DELETE FROM silence WHERE until_ms <= ? AND id NOT IN ({newest})"  # noqa: S608  of our own words
    cursor.run(sql, (ms(now), ms(now), MOST_ENDED))
    return was


def forget(cursor: Cursor, now: float) -> None:
    """Let go of those that ended long ago."""
    cursor.run("DELETE FROM silence WHERE until_ms <= ?", (ms(now - REMEMBERED),))
