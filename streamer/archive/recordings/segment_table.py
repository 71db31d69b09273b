"""The table of segments: put, found by id and time, removed. All of it within somebody's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from streamer.archive import lying
from streamer.archive.database import Cursor
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_row import OUTLINE, WHOLE, milliseconds, row_of, segment_of

LONGEST = 600.0
"""Seconds, and more, that a segment may last: what overlaps a moment began after so long before it."""
NEAR = 2.0
"""Seconds to the next segment, for who asks for a moment in a gap."""
OVERLAPS = "stream = ? AND began_ms > ? AND began_ms < ? AND (ended_ms IS NULL OR ended_ms > ?)"
"""Of which some lies in a span; `overlap` has its values."""

_FIXED = {"id", "is_local", "is_remote", "replica"}
"""What a recorder knows nothing new of: where a file is, who uploads it says."""

_PUT = (
    f"INSERT INTO segment ({', '.join(WHOLE)}) VALUES ({', '.join('?' * len(WHOLE))})"  # noqa: S608  of our own words
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in WHOLE if name not in _FIXED)}"
)


def put(cursor: Cursor, segments: Iterable[Segment]) -> None:
    """Insert them, or bring those that are there up to date."""
    cursor.run_many(_PUT, [row_of(segment) for segment in segments])


def within(
    cursor: Cursor, stream: str, began: float, ended: float, limit: int, *, whole: bool = False
) -> list[Segment]:
    """Those of which some lies in the span, in order; `whole`: with `init` and `fragments`, which are empty else."""
    columns = WHOLE if whole else OUTLINE
    sql = f"SELECT {', '.join(columns)} FROM segment WHERE {OVERLAPS} ORDER BY began_ms, id LIMIT ?"  # noqa: S608
    return [segment_of(row) for row in cursor.all(sql, (*overlap(stream, began, ended), limit))]


def one(cursor: Cursor, id_: str) -> Segment | None:
    """The segment of that id, whole."""
    return next(iter(_chosen(cursor, "id = ?", (id_,))), None)


def at(cursor: Cursor, stream: str, time: float) -> Segment | None:
    """The one that holds this moment, else the next that begins within NEAR of it; whole."""
    ms = milliseconds(time)
    holding = (*overlap(stream, time, time + 0.001)[:3], ms)
    near = (stream, ms, ms + milliseconds(NEAR))
    found = _chosen(cursor, f"{OVERLAPS} ORDER BY began_ms DESC, id DESC LIMIT 1", holding) or _chosen(
        cursor, "stream = ? AND began_ms > ? AND began_ms < ? ORDER BY began_ms LIMIT 1", near
    )
    return next(iter(found), None)


def unended(cursor: Cursor, replica: str | None = None) -> list[Segment]:
    """Those without an end, whole, in order; with a replica's name, those that it may have left."""
    which, values = lying.left_open(replica)
    return _chosen(cursor, f"ended_ms IS NULL{which} ORDER BY id", values)


def adopt(cursor: Cursor, ids: Sequence[str], replica: str) -> int:
    """Their files lie with this replica, as it has just seen; returns of how many that was new."""
    which, values = lying.there(replica)
    sql = f"UPDATE segment SET replica = ? WHERE id = ? AND is_local = 1{which}"  # noqa: S608  of our own words
    return sum(cursor.run(sql, (replica, id_, *values)) for id_ in ids)


def of_others(cursor: Cursor, ids: Sequence[str], replica: str) -> list[str]:
    """Those of these that lie with another, as the index has it."""
    found: list[str] = []
    which, values = lying.there(replica)
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        sql = f"SELECT id FROM segment WHERE is_local = 1 AND id IN ({', '.join('?' * len(some))}){which}"  # noqa: S608
        found += [row[0] for row in cursor.all(sql, (*some, *values))]
    return found


def sizes_of(cursor: Cursor, ids: Sequence[str]) -> dict[str, int]:
    """Bytes of each of these, as far as they are there."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        sql = f"SELECT id, bytes FROM segment WHERE id IN ({', '.join('?' * len(some))})"  # noqa: S608
        found |= {row[0]: int(row[1]) for row in cursor.all(sql, some)}
    return found


def remove(cursor: Cursor, ids: Sequence[str]) -> None:
    """Without these. Their files go first."""
    cursor.run_many("DELETE FROM segment WHERE id = ?", [(id_,) for id_ in ids])


def remove_local(cursor: Cursor, ids: Sequence[str]) -> None:
    """They are not on this machine any more: those that are nowhere else are gone."""
    cursor.run_many("DELETE FROM segment WHERE id = ? AND is_remote = 0", [(id_,) for id_ in ids])
    cursor.run_many("UPDATE segment SET is_local = 0 WHERE id = ?", [(id_,) for id_ in ids])


def overlap(stream: str, began: float, ended: float) -> tuple[str, int, int, int]:
    """The values of OVERLAPS."""
    return stream, milliseconds(began - LONGEST), milliseconds(ended), milliseconds(began)


def _chosen(cursor: Cursor, where: str, values: Sequence[Any]) -> list[Segment]:
    sql = f"SELECT {', '.join(WHOLE)} FROM segment WHERE {where}"  # noqa: S608  of our own words
    return [segment_of(row) for row in cursor.all(sql, values)]
