"""The table of boxes beside the video, a row a segment. All of it within somebody's transaction."""

from collections.abc import Iterable, Sequence

from streamer.archive.database import Cursor
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.placed_boxes import PlacedBoxes

_PUT = (
    "INSERT INTO segment_boxes (segment_id, stream, began_ms, samples, data) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (segment_id) DO UPDATE SET samples = excluded.samples, data = excluded.data"
)


def put(cursor: Cursor, boxes: Iterable[PlacedBoxes]) -> None:
    """Keep all of each segment's, in the place of those that were kept of it."""
    cursor.run_many(
        _PUT,
        [
            (each.segment_id, each.stream, round(each.began_at * 1000), len(each.columns), each.columns.packed())
            for each in boxes
        ],
    )


def of(cursor: Cursor, ids: Sequence[str]) -> dict[str, BoxColumns]:
    """By segment, of those of these ids that have some."""
    found: dict[str, BoxColumns] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        sql = f"SELECT segment_id, data FROM segment_boxes WHERE segment_id IN ({', '.join('?' * len(some))})"  # noqa: S608
        found |= {id_: BoxColumns.unpacked(bytes(data)) for id_, data in cursor.all(sql, some)}
    return found


def remove(cursor: Cursor, ids: Sequence[str]) -> None:
    """Without those of these segments."""
    cursor.run_many("DELETE FROM segment_boxes WHERE segment_id = ?", [(id_,) for id_ in ids])


def remove_old(cursor: Cursor, before: float, limit: int) -> int:
    """Without the oldest of segments that began before then and are there no more; returns how many went."""
    sql = (
        "DELETE FROM segment_boxes WHERE segment_id IN (SELECT segment_id FROM segment_boxes"
        " WHERE began_ms < ? AND NOT EXISTS (SELECT 1 FROM segment WHERE segment.id = segment_boxes.segment_id)"
        " ORDER BY began_ms LIMIT ?)"
    )
    return cursor.run(sql, (round(before * 1000), limit))
