"""What segments are together: spans of video, days, bytes. All of it within somebody's transaction."""

from datetime import date, timedelta

from streamer.archive import lying
from streamer.archive.database import Cursor
from streamer.archive.recordings.found import RecordedDay, Span
from streamer.archive.recordings.segment_row import length, milliseconds
from streamer.archive.recordings.segment_table import OVERLAPS, overlap
from streamer.archive.recordings.spans import joined
from streamer.values.uuid7 import first_of

DAY = 86_400


def spans(cursor: Cursor, stream: str, began: float, ended: float) -> list[Span]:
    """Where there is video, in order, cut to what is asked for."""
    sql = (
        "SELECT began_ms, ended_ms, has_event, CASE WHEN ended_ms IS NULL THEN fragments END"  # noqa: S608
        f" FROM segment WHERE {OVERLAPS} ORDER BY began_ms, id"
    )
    ends = (
        (began_ms / 1000, began_ms / 1000 + length(fragments) if ended_ms is None else ended_ms / 1000, has_event)
        for began_ms, ended_ms, has_event, fragments in cursor.all(sql, overlap(stream, began, ended))
    )
    return joined((max(began, since), min(ended, until), bool(has)) for since, until, has in ends if until > began)


def days(cursor: Cursor, stream: str, began: float, ended: float, offset: int) -> list[RecordedDay]:
    """Those with something, in order; an open segment counts once it has ended.

    Args:
        cursor: to read by.
        stream: its name.
        began: of the span.
        ended: its end.
        offset: seconds by which midnight is before that of UTC.
    """
    day = f"(began_ms + {int(offset) * 1000}) / {DAY * 1000}"
    video = (
        f"SELECT {day} AS day, SUM(COALESCE(ended_ms, began_ms) - began_ms), SUM(bytes) FROM segment"  # noqa: S608
        " WHERE stream = ? AND began_ms >= ? AND began_ms < ? GROUP BY day"
    )
    events = (
        f"SELECT {day} AS day, COUNT(*) FROM event"  # noqa: S608
        " WHERE stream = ? AND id >= ? AND id < ? GROUP BY day"
    )
    recorded = {int(row[0]): row[1:] for row in cursor.all(video, (stream, milliseconds(began), milliseconds(ended)))}
    counts = {int(row[0]): int(row[1]) for row in cursor.all(events, (stream, first_of(began), first_of(ended)))}
    return [
        RecordedDay(_name(number), int(milliseconds) / 1000, int(size), counts.get(number, 0))
        for number in sorted(recorded.keys() | counts.keys())
        for milliseconds, size in (recorded.get(number, (0, 0)),)
    ]


def streams(cursor: Cursor) -> list[str]:
    """The names of all streams there are segments of; from name to name, and not through all of them."""
    sql = (
        "WITH RECURSIVE found (name) AS (SELECT MIN(stream) FROM segment UNION ALL"
        " SELECT (SELECT MIN(stream) FROM segment WHERE stream > found.name) FROM found WHERE found.name IS NOT NULL)"
        " SELECT name FROM found WHERE name IS NOT NULL"
    )
    return [row[0] for row in cursor.all(sql)]


def sizes(cursor: Cursor, replica: str | None = None) -> dict[str, int]:
    """Bytes of each stream's; with a replica's name, of what it recorded."""
    whose, values = lying.here(replica)
    sql = f"SELECT stream, SUM(bytes) FROM segment WHERE 1 = 1{whose} GROUP BY stream"  # noqa: S608  of our own words
    return {row[0]: int(row[1]) for row in cursor.all(sql, values)}


def recent(cursor: Cursor, stream: str, since: float, replica: str | None = None) -> tuple[int, float | None]:
    """(bytes of what began since then, when the oldest of all began) of a stream, or of a replica's share of it."""
    whose, values = lying.here(replica)
    sql = (
        f"SELECT (SELECT COALESCE(SUM(bytes), 0) FROM segment WHERE stream = ? AND began_ms >= ?{whose}),"  # noqa: S608
        f" (SELECT MIN(began_ms) FROM segment WHERE stream = ?{whose})"
    )
    ((size, oldest_ms),) = cursor.all(sql, (stream, milliseconds(since), *values, stream, *values))
    return int(size), None if oldest_ms is None else oldest_ms / 1000


def _name(day: int) -> str:
    """2026-11-29, of the number of days since 1970."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
