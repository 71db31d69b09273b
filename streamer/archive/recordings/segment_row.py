"""A segment as a row of its table, and back."""

import zlib
from typing import Any

from streamer.archive.database import Row
from streamer.archive.recordings.segment import Segment, packed, unpacked

OUTLINE = (
    "id", "stream", "began_ms", "ended_ms", "codec", "mime", "width", "height", "pictures", "bytes", "first_time",
    "camera_ms", "follows", "has_event", "is_local", "is_remote", "replica",
)  # fmt: skip
"""The columns of an outline: all but what only playing needs."""
WHOLE = (*OUTLINE, "init", "fragments")
"""All columns; the last two are compressed (RFC 1950)."""


def milliseconds(at: float) -> int:
    """Since 1970, as rows have times."""
    return round(at * 1000)


def length(fragments: bytes) -> float:
    """Seconds to the end of the last one."""
    ends = (each.time_ms + each.duration_ms for each in unpacked(zlib.decompress(fragments)))
    return max(ends, default=0) / 1000


def row_of(segment: Segment) -> tuple[Any, ...]:
    """All columns, in the order of WHOLE."""
    return (
        segment.id,
        segment.stream,
        milliseconds(segment.began_at),
        None if segment.ended_at is None else milliseconds(segment.ended_at),
        segment.codec,
        segment.mime,
        segment.width,
        segment.height,
        segment.pictures,
        segment.size,
        segment.first_time,
        None if segment.camera_at is None else milliseconds(segment.camera_at),
        int(segment.follows),
        int(segment.has_event),
        int(segment.is_local),
        int(segment.is_remote),
        segment.replica,
        zlib.compress(segment.init),
        zlib.compress(packed(segment.fragments)),
    )


def segment_of(row: Row) -> Segment:
    """Of an outline or of all of it. By place, not by name: lists have thousands."""
    id_, stream, began_ms, ended_ms, codec, mime, width, height, pictures, size, first_time, *rest = row[: len(OUTLINE)]
    camera_ms, follows, has_event, is_local, is_remote, replica = rest
    init, fragments = row[len(OUTLINE) :] or (None, None)
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
        replica,
    )
