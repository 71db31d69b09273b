"""The table of segments: put, found and removed. All of it within somebody's transaction."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from streamer.archive.database import Cursor, Row
from streamer.archive.recordings.found import RecordedDay, Span
from streamer.archive.recordings.segment import Segment, packed, unpacked
from streamer.archive.recordings.spans import joined
from streamer.values.uuid7 import first_of

_OUTLINE = (
    "id", "stream", "began_ms", "ended_ms", "codec", "mime", "width", "height", "pictures", "bytes", "first_time",
    "camera_ms", "follows", "has_event", "is_local", "is_remote",
)  # fmt: skip
_WHOLE = (*_OUTLINE, "init", "fragments")

LONGEST = 600.0
"""Seconds, and more, that a segment may last: what overlaps a moment began after so long before it."""
NEAR = 2.0
"""Seconds to the next segment, for who asks for a moment in a gap."""
DAY = 86_400

_PUT = (
    f"INSERT INTO segment ({', '.join(_WHOLE)}) VALUES ({', '.join('?' * len(_WHOLE))})"  # noqa: S608  of our own words
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _WHOLE if name != 'id')}"
)
_OVERLAPS = "stream = ? AND began_ms > ? AND began_ms < ? AND (ended_ms IS NULL OR ended_ms > ?)"


def put(cursor: Cursor, segments: Iterable[Segment]) -> None:
    """Insert them, or bring those that are there up to date."""
    cursor.run_many(_PUT, [_row(segment) for segment in segments])


def within(
    cursor: Cursor, stream: str, began: float, ended: float, limit: int, *, whole: bool = False
) -> list[Segment]:
    """Those of which some lies in the span, in order; `whole`: with `init` and `fragments`, which are empty else."""
    columns = _WHOLE if whole else _OUTLINE
    sql = f"SELECT {', '.join(columns)} FROM segment WHERE {_OVERLAPS} ORDER BY began_ms, id LIMIT ?"  # noqa: S608
    return [_segment(row) for row in cursor.all(sql, (*_overlap(stream, began, ended), limit))]


def one(cursor: Cursor, id_: str) -> Segment | None:
    """The segment of that id, whole."""
    return next(iter(_chosen(cursor, "id = ?", (id_,))), None)


def at(cursor: Cursor, stream: str, time: float) -> Segment | None:
    """The one that holds this moment, else the next that begins within NEAR of it; whole."""
    ms = _ms(time)
    holding = (*_overlap(stream, time, time + 0.001)[:3], ms)
    for where, values in (
        (f"{_OVERLAPS} ORDER BY began_ms DESC, id DESC LIMIT 1", holding),
        ("stream = ? AND began_ms > ? AND began_ms < ? ORDER BY began_ms LIMIT 1", (stream, ms, ms + _ms(NEAR))),
    ):
        if found := _chosen(cursor, where, values):
            return found[0]
    return None


def unended(cursor: Cursor) -> list[Segment]:
    """Those without an end, whole, in order."""
    return _chosen(cursor, "ended_ms IS NULL ORDER BY id", ())


def spans(cursor: Cursor, stream: str, began: float, ended: float) -> list[Span]:
    """Where there is video, in order, cut to what is asked for."""
    sql = (
        "SELECT began_ms, ended_ms, has_event, CASE WHEN ended_ms IS NULL THEN fragments END"  # noqa: S608
        f" FROM segment WHERE {_OVERLAPS} ORDER BY began_ms, id"
    )
    ends = (
        (began_ms / 1000, began_ms / 1000 + _length(fragments) if ended_ms is None else ended_ms / 1000, has_event)
        for began_ms, ended_ms, has_event, fragments in cursor.all(sql, _overlap(stream, began, ended))
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
    recorded = {int(row[0]): row[1:] for row in cursor.all(video, (stream, _ms(began), _ms(ended)))}
    counts = {int(row[0]): int(row[1]) for row in cursor.all(events, (stream, first_of(began), first_of(ended)))}
    return [
        RecordedDay(_name(number), int(milliseconds) / 1000, int(size), counts.get(number, 0))
        for number in sorted(recorded.keys() | counts.keys())
        for milliseconds, size in (recorded.get(number, (0, 0)),)
    ]


@dataclass(frozen=True, slots=True)
class Which:
    """Of which segments the oldest are asked for."""

    has_event: bool
    stream: str | None = None
    """Of this one; None: of all but `without`."""
    without: tuple[str, ...] = ()
    ended_before: float = 0.0


def oldest(cursor: Cursor, which: Which, page: int = 200) -> Iterator[Segment]:
    """All of them, the oldest first, without `init` and `fragments`; read as far as somebody wants them."""
    streams = ["stream = ?"] if which.stream is not None else ["stream <> ?"] * len(which.without)
    named = which.without if which.stream is None else (which.stream,)
    where = " AND ".join(("has_event = ?", "(began_ms, id) > (?, ?)", "ended_ms < ?", *streams))
    sql = f"SELECT {', '.join(_OUTLINE)} FROM segment WHERE {where} ORDER BY began_ms, id LIMIT ?"  # noqa: S608
    place: tuple[int, str] = (-1, "")
    is_last = False
    while not is_last:
        found = cursor.all(sql, (int(which.has_event), *place, _ms(which.ended_before), *named, page))
        for segment in map(_segment, found):
            yield segment
            place = _ms(segment.began_at), segment.id
        is_last = len(found) < page


def streams(cursor: Cursor) -> list[str]:
    """The names of all streams there are segments of; from name to name, and not through all of them."""
    sql = (
        "WITH RECURSIVE found (name) AS (SELECT MIN(stream) FROM segment UNION ALL"
        " SELECT (SELECT MIN(stream) FROM segment WHERE stream > found.name) FROM found WHERE found.name IS NOT NULL)"
        " SELECT name FROM found WHERE name IS NOT NULL"
    )
    return [row[0] for row in cursor.all(sql)]


def sizes(cursor: Cursor) -> dict[str, int]:
    """Bytes of each stream's."""
    return {row[0]: int(row[1]) for row in cursor.all("SELECT stream, SUM(bytes) FROM segment GROUP BY stream")}


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


def _chosen(cursor: Cursor, where: str, values: Sequence[Any]) -> list[Segment]:
    sql = f"SELECT {', '.join(_WHOLE)} FROM segment WHERE {where}"  # noqa: S608  of our own words
    return [_segment(row) for row in cursor.all(sql, values)]


# ---- rows


def _ms(at: float) -> int:
    return round(at * 1000)


def _overlap(stream: str, began: float, ended: float) -> tuple[str, int, int, int]:
    """The values of _OVERLAPS."""
    return stream, _ms(began - LONGEST), _ms(ended), _ms(began)


def _length(fragments: bytes) -> float:
    """Seconds to the end of the last one."""
    ends = (each.time_ms + each.duration_ms for each in unpacked(zlib.decompress(fragments)))
    return max(ends, default=0) / 1000


def _name(day: int) -> str:
    """2026-11-29, of the number of days since 1970."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _row(segment: Segment) -> tuple[Any, ...]:
    return (
        segment.id,
        segment.stream,
        _ms(segment.began_at),
        None if segment.ended_at is None else _ms(segment.ended_at),
        segment.codec,
        segment.mime,
        segment.width,
        segment.height,
        segment.pictures,
        segment.size,
        segment.first_time,
        None if segment.camera_at is None else _ms(segment.camera_at),
        int(segment.follows),
        int(segment.has_event),
        int(segment.is_local),
        int(segment.is_remote),
        zlib.compress(segment.init),
        zlib.compress(packed(segment.fragments)),
    )


def _segment(row: Row) -> Segment:
    """Of an outline or of all of it. By place, not by name: lists have thousands."""
    id_, stream, began_ms, ended_ms, codec, mime, width, height, pictures, size, first_time, *rest = row[
        : len(_OUTLINE)
    ]
    camera_ms, follows, has_event, is_local, is_remote = rest
    init, fragments = row[len(_OUTLINE) :] or (None, None)
    return Segment(
        id_,
        stream,
        began_ms / 1000,
        None if ended_ms is None else ended_ms / 1000,
        codec,
        mime,
        width,
        height,
        pictures,
        size,
        first_time,
        None if camera_ms is None else camera_ms / 1000,
        bool(follows),
        bool(has_event),
        b"" if init is None else zlib.decompress(init),
        () if fragments is None else unpacked(zlib.decompress(fragments)),
        bool(is_local),
        bool(is_remote),
    )
