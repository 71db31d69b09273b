"""The table of what was seen in each minute, for a day's timeline. All of it within somebody's transaction."""

from collections.abc import Mapping

from streamer.archive.database import Cursor
from streamer.archive.recordings.found import Seen

MINUTE = 60

SeenKey = tuple[str, int, str]
"""(stream, minutes since 1970, label)."""
SeenMinutes = Mapping[SeenKey, tuple[int, float]]
"""(samples that found one or more of that class, the best score)."""

_ADD = (
    "INSERT INTO seen_minute (stream, minute, label, samples, best) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (stream, minute, label) DO UPDATE SET samples = seen_minute.samples + excluded.samples,"
    " best = CASE WHEN excluded.best > seen_minute.best THEN excluded.best ELSE seen_minute.best END"
)


def add(cursor: Cursor, seen: SeenMinutes) -> None:
    """Count these too."""
    cursor.run_many(_ADD, [(*key, samples, best) for key, (samples, best) in sorted(seen.items())])


def between(cursor: Cursor, stream: str, began: float, ended: float, step: int) -> list[Seen]:
    """In steps of so many seconds, whole minutes, counted from 1970; by time, then class.

    Args:
        cursor: to read by.
        stream: its name.
        began: of the span; of the minute it lies in, all.
        ended: its end.
        step: seconds, a multiple of 60.
    """
    minutes = max(1, step // MINUTE)
    place = f"minute / {minutes} * {minutes}"
    sql = (
        f"SELECT {place} AS place, label, SUM(samples), MAX(best) FROM seen_minute"  # noqa: S608  a number of our own
        " WHERE stream = ? AND minute >= ? AND minute < ? GROUP BY place, label ORDER BY place, label"
    )
    rows = cursor.all(sql, (stream, int(began // MINUTE), int(-(-ended // MINUTE))))
    return [Seen(float(minute * MINUTE), label, int(samples), best) for minute, label, samples, best in rows]


def remove_old(cursor: Cursor, stream: str, before: float) -> int:
    """Without the minutes of a stream that ended before then; returns how many rows went."""
    return cursor.run("DELETE FROM seen_minute WHERE stream = ? AND minute < ?", (stream, int(before // MINUTE)))


def streams(cursor: Cursor) -> list[str]:
    """The names of all streams of which something was seen; from name to name."""
    sql = (
        "WITH RECURSIVE found (name) AS (SELECT MIN(stream) FROM seen_minute UNION ALL"
        " SELECT (SELECT MIN(stream) FROM seen_minute WHERE stream > found.name) FROM found"
        " WHERE found.name IS NOT NULL) SELECT name FROM found WHERE name IS NOT NULL"
    )
    return [row[0] for row in cursor.all(sql)]
