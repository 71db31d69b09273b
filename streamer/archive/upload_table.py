"""What of the archive's tables is about uploading: what is not in object storage yet, and what is here as well.

All of it within somebody's transaction. Ids are UUIDv7: their order is that of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.archive import event_table, lying
from streamer.archive.database import Cursor
from streamer.archive.kept import Kept
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_row import OUTLINE, segment_of
from streamer.archive.storage import doomed_table
from streamer.values.uuid7 import first_of

_SEGMENTS = "FROM segment WHERE is_remote = 0 AND ended_ms IS NOT NULL"
_PICTURES = "FROM event WHERE picture_place = 0 AND picture_bytes > 0 AND ended_ms IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What object storage has not been told of yet."""

    segments: int = 0
    pictures: int = 0
    """Events with pictures."""
    removals: int = 0
    """Objects that are to go."""
    bytes: int = 0
    """Of segments and pictures."""
    oldest_at: float | None = None
    """When the oldest of these segments began: UTC, seconds since 1970."""


def backlog(cursor: Cursor, replica: str | None = None) -> Backlog:
    """All of it; with a replica's name, of what lies with it."""
    which, values = lying.here(replica)
    sql = f"SELECT COUNT(*), COALESCE(SUM(bytes), 0), MIN(began_ms) {_SEGMENTS}{which}"
    ((segments, size, oldest_ms),) = cursor.all(sql, values)
    sql = f"SELECT COUNT(*), COALESCE(SUM(picture_bytes), 0) {_PICTURES}{which}"
    ((pictures, picture_size),) = cursor.all(sql, values)
    oldest_at = None if oldest_ms is None else oldest_ms / 1000
    return Backlog(
        int(segments), int(pictures), doomed_table.count(cursor), int(size) + int(picture_size), oldest_at
    )  # fmt: skip


def segments(cursor: Cursor, after: str, limit: int, replica: str | None = None) -> list[Segment]:
    """Outlines of closed ones that are not uploaded, from behind an id on, oldest first."""
    which, values = lying.here(replica)
    sql = f"SELECT {', '.join(OUTLINE)} {_SEGMENTS} AND is_local = 1 AND id > ?{which} ORDER BY id LIMIT ?"
    return [segment_of(row) for row in cursor.all(sql, (after, *values, limit))]


def mark_segment(cursor: Cursor, id_: str) -> bool:
    """It is uploaded; whether there still is such a row."""
    return bool(cursor.run("UPDATE segment SET is_remote = 1 WHERE id = ?", (id_,)))


def events(cursor: Cursor, after: str, limit: int, replica: str | None = None) -> list[Kept]:
    """Those that have ended and whose pictures are not uploaded, from behind an id on, oldest first."""
    which, values = lying.here(replica)
    return _events(cursor, f"SELECT id {_PICTURES} AND id > ?{which} ORDER BY id LIMIT ?", (after, *values, limit))


def mark_pictures(cursor: Cursor, id_: str, changed: int) -> None:
    """They are uploaded, unless the event has changed since: then there may be better ones."""
    sql = "UPDATE event SET picture_place = 1 WHERE id = ? AND changed = ? AND picture_place = 0"
    cursor.run(sql, (id_, changed))


def copied_events(cursor: Cursor, before: float, limit: int, replica: str | None = None) -> list[Kept]:
    """Those that began before then and whose pictures are uploaded and here as well."""
    which, values = lying.here(replica)
    sql = f"SELECT id FROM event WHERE picture_place = 1 AND id < ?{which} ORDER BY id LIMIT ?"  # noqa: S608
    return _events(cursor, sql, (first_of(before), *values, limit))


def elsewhere(cursor: Cursor, ids: Sequence[str]) -> set[str]:
    """Those of these events whose pictures are in object storage alone."""
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        sql = f"SELECT id FROM event WHERE picture_place = 2 AND id IN ({', '.join('?' * len(some))})"  # noqa: S608
        found.update(row[0] for row in cursor.all(sql, some))
    return found


def mark_pictures_gone(cursor: Cursor, ids: Sequence[str]) -> None:
    """They are in object storage alone."""
    cursor.run_many("UPDATE event SET picture_place = 2 WHERE id = ? AND picture_place = 1", [(id_,) for id_ in ids])


def _events(cursor: Cursor, sql: str, values: Sequence[object]) -> list[Kept]:
    found = (event_table.one(cursor, row[0]) for row in cursor.all(sql, values))
    return [kept for kept in found if kept is not None]
