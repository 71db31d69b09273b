"""Segments by their age: what goes first, and what should be there. All of it within somebody's transaction."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamer.archive import lying
from streamer.archive.database import Cursor
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_row import OUTLINE, milliseconds, segment_of
from streamer.values.uuid7 import first_of

_LOCAL = f"SELECT {', '.join(OUTLINE)} FROM segment WHERE ended_ms IS NOT NULL AND is_local = 1"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Which:
    """Of which segments the oldest are asked for."""

    has_event: bool
    stream: str | None = None
    """Of this one; None: of all but `without`."""
    without: tuple[str, ...] = ()
    ended_before: float = 0.0
    replica: str | None = None
    """Whose files lie with this one; None: there is no cluster."""
    is_there: bool = False
    """Those that lie with another, in its place."""
    began_before: float | None = None
    """UTC, seconds since 1970; None: whenever they began."""


def oldest(cursor: Cursor, which: Which, page: int = 200) -> Iterator[Segment]:
    """All of them, the oldest first, without `init` and `fragments`; read as far as somebody wants them."""
    streams = ["stream = ?"] if which.stream is not None else ["stream <> ?"] * len(which.without)
    named = which.without if which.stream is None else (which.stream,)
    is_there = which.is_there and which.replica is not None
    # One that another left open may never be ended any more.
    ended = "(ended_ms IS NULL OR ended_ms < ?)" if is_there else "ended_ms < ?"
    until = [] if which.began_before is None else [milliseconds(which.began_before)]
    began = ["began_ms < ?"] * len(until)
    where = " AND ".join(("has_event = ?", "(began_ms, id) > (?, ?)", ended, *began, *streams))
    whose, values = lying.there(which.replica or "") if is_there else lying.here(which.replica)
    sql = f"SELECT {', '.join(OUTLINE)} FROM segment WHERE {where}{whose} ORDER BY began_ms, id LIMIT ?"  # noqa: S608
    place: tuple[int, str] = (-1, "")
    is_last = False
    while not is_last:
        ended_ms = milliseconds(which.ended_before)
        found = cursor.all(sql, (int(which.has_event), *place, ended_ms, *until, *named, *values, page))
        for segment in map(segment_of, found):
            yield segment
            place = milliseconds(segment.began_at), segment.id
        is_last = len(found) < page


def local(cursor: Cursor, after: str, before: float, limit: int, replica: str | None = None) -> list[Segment]:
    """Those that have ended, began before then, and should be on this machine, from after an id on; outlines.

    Args:
        cursor: of the transaction.
        after: an id.
        before: UTC, seconds since 1970.
        limit: at the most so many.
        replica: whose machine this is; None: there is no cluster.
    """
    whose, values = lying.here(replica)
    sql = f"{_LOCAL} AND id > ? AND id < ?{whose} ORDER BY id LIMIT ?"
    return [segment_of(row) for row in cursor.all(sql, (after, first_of(before), *values, limit))]


def newest_local(cursor: Cursor, before: float, limit: int, replica: str | None = None) -> list[Segment]:
    """The newest of these, the newest first."""
    whose, values = lying.here(replica)
    sql = f"{_LOCAL} AND id < ?{whose} ORDER BY id DESC LIMIT ?"
    return [segment_of(row) for row in cursor.all(sql, (first_of(before), *values, limit))]
