"""The boxes of one segment, on their way to the database. A value."""

from dataclasses import dataclass

from streamer.archive.recordings.box_columns import BoxColumns


@dataclass(frozen=True, slots=True, eq=False)
class PlacedBoxes:
    """All of a segment's so far."""

    segment_id: str
    stream: str
    began_at: float
    """The segment's beginning: UTC, seconds since 1970."""
    columns: BoxColumns
