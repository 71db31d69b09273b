"""The table of events: each put, found, judged and removed. All of it within somebody's transaction."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from streamer.archive import lying
from streamer.archive.database import Cursor, Row
from streamer.archive.kept import Kept, Review
from streamer.archive.query import MAX_LIMIT, Query
from streamer.values.event import Boxed, Event, Mark, Picture

T = TypeVar("T")

_OF_EVENT = (
    "id", "stream", "label", "class_id", "tracker_id", "model", "version", "began_ms", "last_ms", "ended_ms",
    "began_pts", "last_pts", "score", "box", "width", "height", "zones", "marks",
)  # fmt: skip
_OF_PICTURE = ("boxes", "picture_bytes")
_OF_REVIEW = ("review", "note", "bookmarked", "reviewed_by", "reviewed_ms")
_OF_ROW = ("changed", "made", "replica")
_COLUMNS = ", ".join((*_OF_EVENT, *_OF_PICTURE, *_OF_REVIEW, *_OF_ROW))

_FIXED = {"id", "stream", "label", "class_id", "tracker_id", "began_ms", "began_pts", "ended_ms"}
"""Of an event, from its beginning on, but for its end. The label is its last one's: votes may yet change it.

What ended stays so: of two replicas that ran a stream for a moment, one may not know.
"""

_PUT = (
    f"INSERT INTO event ({', '.join((*_OF_EVENT, *_OF_ROW))}) VALUES ({', '.join('?' * len(_OF_EVENT + _OF_ROW))})"  # noqa: S608
    " ON CONFLICT (id) DO UPDATE SET ended_ms = COALESCE(excluded.ended_ms, event.ended_ms), "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_OF_EVENT, "changed") if name not in _FIXED - {"label"})
)
_PUT_ZONE = "INSERT INTO event_zone (zone, event_id, of_stream) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_LINE = "INSERT INTO event_line (line, event_id, of_stream) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an event is known."""

    last_at: float
    """When it was seen last: UTC, seconds since 1970."""
    has_ended: bool


def newest_change(cursor: Cursor) -> int:
    """The number of the newest change, be its event gone; 0 before the first."""
    return int(cursor.all("SELECT last FROM event_change")[0][0])


def next_change(cursor: Cursor, count: int = 1) -> int:
    """The first of so many new numbers of changes: none is given twice."""
    ((last,),) = cursor.all("UPDATE event_change SET last = last + ? RETURNING last", (count,))
    return int(last) - count + 1


def put(
    cursor: Cursor, entries: Iterable[tuple[Event, Picture | None]], replica: str | None = None
) -> list[Kept]:  # fmt: skip
    """Insert events, or bring those that are there up to date; returns them as they are now, reviews among it.

    Args:
        cursor: of the transaction.
        entries: events, each with a picture that is new.
        replica: on whose disk their pictures lie.
    """
    entries = list(entries)
    first = next_change(cursor, len(entries))
    rows = [(*_row(event), number, number, replica) for number, (event, _) in enumerate(entries, first)]
    cursor.run_many(_PUT, rows)
    cursor.run_many(_PUT_ZONE, [(zone, event.id, event.stream) for event, _ in entries for zone in event.zones])
    cursor.run_many(_PUT_LINE, [(line, event.id, event.stream) for event, _ in entries for line in _lines(event)])
    pictures = [(_boxes_text(picture.boxes), len(picture), event.id) for event, picture in entries if picture]
    cursor.run_many("UPDATE event SET boxes = ?, picture_bytes = ?, picture_place = 0 WHERE id = ?", pictures)
    return _by_ids(cursor, [event.id for event, _ in entries])


def one(cursor: Cursor, id_: str) -> Kept | None:
    """The event of that id."""
    return next(iter(_by_ids(cursor, [id_])), None)


def of_ids(cursor: Cursor, ids: Iterable[str]) -> list[Kept]:
    """Those of these ids that there are."""
    return [kept for some in in_parts(sorted(ids)) for kept in _by_ids(cursor, some)]


def standings(cursor: Cursor, ids: Sequence[str]) -> dict[str, Standing]:
    """How far those of these events that are kept are known, by id."""
    if not ids:
        return {}
    sql = f"SELECT id, last_ms, ended_ms FROM event WHERE id IN ({', '.join('?' * len(ids))})"  # noqa: S608
    return {id_: Standing(last_ms / 1000, ended_ms is not None) for id_, last_ms, ended_ms in cursor.all(sql, ids)}


def page(cursor: Cursor, query: Query) -> list[Kept]:
    """Newest first, as many as it asks for."""
    return _chosen(cursor, query, "DESC", max(0, min(query.limit, MAX_LIMIT)))


def since(cursor: Cursor, changed: int, limit: int = MAX_LIMIT) -> list[Kept]:
    """Those that changed after that, in the order they did."""
    sql = f"SELECT {_COLUMNS} FROM event WHERE changed > ? ORDER BY changed LIMIT ?"  # noqa: S608
    return [_kept(row) for row in cursor.all(sql, (changed, limit))]


def review(cursor: Cursor, id_: str, said: Review) -> Kept | None:
    """Take a person's word about an event; None: it is not there."""
    reviewed_ms = None if said.at is None else _ms(said.at)
    sql = (
        "UPDATE event SET review = ?, note = ?, bookmarked = ?, reviewed_by = ?, reviewed_ms = ?, changed = ?"
        " WHERE id = ?"
    )
    values = (said.verdict, said.note, int(said.bookmarked), said.by, reviewed_ms, next_change(cursor), id_)
    return one(cursor, id_) if cursor.run(sql, values) else None


def remove(cursor: Cursor, ids: Sequence[str]) -> None:
    """Without these. Their files go first."""
    cursor.run_many("DELETE FROM event_zone WHERE event_id = ?", [(id_,) for id_ in ids])
    cursor.run_many("DELETE FROM event_line WHERE event_id = ?", [(id_,) for id_ in ids])
    cursor.run_many("DELETE FROM event WHERE id = ?", [(id_,) for id_ in ids])


def streams(cursor: Cursor) -> list[str]:
    """The names of all streams there are events of; from name to name, and not through all events."""
    sql = (
        "WITH RECURSIVE found (name) AS (SELECT MIN(stream) FROM event UNION ALL"
        " SELECT (SELECT MIN(stream) FROM event WHERE stream > found.name) FROM found WHERE found.name IS NOT NULL)"
        " SELECT name FROM found WHERE name IS NOT NULL"
    )
    return [row[0] for row in cursor.all(sql)]


def end_what_went_on(cursor: Cursor, replica: str | None = None) -> list[str]:
    """End the events that a service left open when it was killed, at when they were last seen; returns their ids.

    Args:
        cursor: of the transaction.
        replica: whose; None: there is no cluster.
    """
    which, values = lying.left_open(replica)
    return _end(cursor, f"ended_ms IS NULL{which}", values)


def end_of_others(cursor: Cursor, stream: str, replica: str) -> list[str]:
    """End those of a stream that another replica ran until now; returns their ids."""
    which, values = lying.there(replica)
    return _end(cursor, f"ended_ms IS NULL AND stream = ?{which}", (stream, *values))


def end_of_absent(cursor: Cursor, before: float, replica: str) -> list[str]:
    """End those of other replicas that were not seen since then: UTC, seconds since 1970; returns their ids."""
    which, values = lying.there(replica)
    return _end(cursor, f"ended_ms IS NULL AND last_ms < ?{which}", (_ms(before), *values))


def adopt(cursor: Cursor, ids: Sequence[str], replica: str) -> int:
    """Their pictures lie with this replica, as it has just seen; returns of how many that was new."""
    which, values = lying.there(replica)
    return sum(
        cursor.run(
            f"UPDATE event SET replica = ? WHERE id IN ({', '.join('?' * len(some))}){which}",  # noqa: S608
            (replica, *some, *values),
        )
        for some in in_parts(ids)
    )


def _end(cursor: Cursor, which: str, values: Sequence[object]) -> list[str]:
    sql = f"SELECT id FROM event WHERE {which} ORDER BY id"  # noqa: S608  of our own words
    left = [row[0] for row in cursor.all(sql, values)]
    sql = "UPDATE event SET ended_ms = last_ms, changed = ? WHERE id = ?"
    cursor.run_many(sql, [(number, id_) for number, id_ in enumerate(left, next_change(cursor, len(left)))])
    return left


def picture_bytes(cursor: Cursor, label: str | None = None, replica: str | None = None) -> int:
    """Bytes of all pictures, or of those of one class; with a replica's name, of those that lie with it."""
    which, values = lying.here(replica)
    of, label_values = ("1 = 1", ()) if label is None else ("label = ?", (label,))
    sql = f"SELECT COALESCE(SUM(picture_bytes), 0) FROM event WHERE {of}{which}"  # noqa: S608  of our own words
    return int(cursor.all(sql, (*label_values, *values))[0][0])


def oldest(cursor: Cursor, query: Query) -> list[Kept]:
    """The oldest of them, as many as it asks for."""
    return _chosen(cursor, query, "ASC", query.limit)


def those_of(cursor: Cursor, ids: Sequence[str]) -> set[str]:
    """Those of these ids that there are events of."""
    found: set[str] = set()
    for some in in_parts(ids):
        sql = f"SELECT id FROM event WHERE id IN ({', '.join('?' * len(some))})"  # noqa: S608
        found.update(row[0] for row in cursor.all(sql, some))
    return found


def in_parts(ids: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """As many as a statement takes, and a transaction is held up by, at a time."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _chosen(cursor: Cursor, query: Query, order: str, limit: int) -> list[Kept]:
    """Ids first, which an index gives by itself, then the rows of those alone."""
    chosen, values = query.ids()
    ids = f"SELECT {query.column} {chosen} ORDER BY {query.column} {order} LIMIT ?"
    sql = f"SELECT {_COLUMNS} FROM event WHERE id IN ({ids}) ORDER BY id {order}"  # noqa: S608  of our own words
    return [_kept(row) for row in cursor.all(sql, (*values, limit))]


def _by_ids(cursor: Cursor, ids: Sequence[str]) -> list[Kept]:
    if not ids:
        return []
    sql = f"SELECT {_COLUMNS} FROM event WHERE id IN ({', '.join('?' * len(ids))}) ORDER BY changed"  # noqa: S608
    return [_kept(row) for row in cursor.all(sql, ids)]


# ---- rows


def _ms(at: float) -> int:
    return round(at * 1000)


def _lines(event: Event) -> set[str]:
    """That it has crossed."""
    return {mark.where for mark in event.marks if mark.kind == "cross"}


def _row(event: Event) -> tuple[Any, ...]:
    return (
        event.id,
        event.stream,
        event.label,
        event.class_id,
        event.tracker_id,
        event.model,
        event.version,
        _ms(event.began_at),
        _ms(event.last_at),
        None if event.ended_at is None else _ms(event.ended_at),
        event.began_pts,
        event.last_pts,
        event.score,
        json.dumps([round(edge, 2) for edge in event.box]),
        event.width,
        event.height,
        json.dumps(event.zones),
        json.dumps([mark.document() for mark in event.marks]),
    )


def _kept(row: Row) -> Kept:
    cells = dict(zip((*_OF_EVENT, *_OF_PICTURE, *_OF_REVIEW, *_OF_ROW), row, strict=True))
    event = Event(
        id=cells["id"],
        stream=cells["stream"],
        label=cells["label"],
        class_id=cells["class_id"],
        tracker_id=cells["tracker_id"],
        model=cells["model"],
        version=cells["version"],
        began_at=cells["began_ms"] / 1000,
        last_at=cells["last_ms"] / 1000,
        ended_at=None if cells["ended_ms"] is None else cells["ended_ms"] / 1000,
        began_pts=cells["began_pts"],
        last_pts=cells["last_pts"],
        score=cells["score"],
        box=_box(json.loads(cells["box"])),
        width=cells["width"],
        height=cells["height"],
        zones=tuple(json.loads(cells["zones"])),
        marks=tuple(Mark(**mark) for mark in json.loads(cells["marks"])),
    )
    reviewed_at = None if cells["reviewed_ms"] is None else cells["reviewed_ms"] / 1000
    said = Review(cells["review"], cells["note"], bool(cells["bookmarked"]), cells["reviewed_by"], reviewed_at)
    boxes, size = _boxes(cells["boxes"]), cells["picture_bytes"]
    return Kept(event, cells["changed"], cells["made"], said, boxes, size, cells["replica"])


def _box(edges: Sequence[float]) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = edges
    return x_min, y_min, x_max, y_max


def _boxes_text(boxes: Iterable[Boxed]) -> str:
    return json.dumps([(each.label, each.class_id, each.score, each.box, each.tracker_id) for each in boxes])


def _boxes(text: str) -> tuple[Boxed, ...]:
    return tuple(
        Boxed(label, class_id, score, _box(box), tracker_id)
        for label, class_id, score, box, tracker_id in json.loads(text)
    )
