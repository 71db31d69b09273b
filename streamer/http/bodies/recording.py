"""What is recorded: how it is asked for and shown. Times that are shown are seconds since 1970, UTC."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from streamer.http.bodies.body import Body

NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MOST = 2000
"""Segments in one answer: more than a day of them."""
MOST_WITH_FRAGMENTS = 240
"""Four hours."""


def _seconds(said: Any) -> Any:
    """A time as people write it; a number as it is. Without a zone it is UTC."""
    if not isinstance(said, str):
        return said
    if NUMBER.fullmatch(said):
        return float(said)
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(
            f"{said[:40]!r} is no time; it must be seconds since 1970 or like 2026-11-29T18:05:00Z"
        ) from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


When = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(ge=0, lt=1e11, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1e11},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]
"""Seconds since 1970, or ISO 8601; UTC where it names no zone."""


class RecordedSpan(Body):
    """What is asked for of a stream's recordings."""

    model_config = ConfigDict(strict=False, validate_by_alias=True)

    since: Annotated[When, Field(alias="from")]
    """Where it begins."""
    until: Annotated[When | None, Field(alias="to")] = None
    """Where it ends; left out: now."""


class RecordingSearch(RecordedSpan):
    """What `GET …/recordings` is asked for."""

    detail: Literal["spans", "segments", "fragments"] = "segments"
    """How much is said: only when there is video, or the files, or also where in each file which second is."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = MOST
    """Segments; with fragments 240 at the most."""


class DaySearch(RecordedSpan):
    """What `GET …/recordings/days` is asked for."""

    offset: Annotated[int, Field(ge=-86_400, le=86_400)] = 0
    """Seconds by which the midnight of whoever asks is before that of UTC: 3600 in Paris in winter."""


class TimelineSearch(RecordedSpan):
    """What `GET …/recordings/timeline` is asked for."""

    step: Annotated[int, Field(ge=60, le=86_400, multiple_of=60)] = 60
    """Seconds, whole minutes."""


class ThumbnailSearch(Body):
    """What `GET …/recordings/thumbnail.jpg` is asked for."""

    model_config = ConfigDict(strict=False)

    at: When
    """When."""
    width: Annotated[int, Field(ge=64, le=640)] = 320
    """Pixels at the most."""


class ClipSearch(Body):
    """What a clip is asked for by."""

    model_config = ConfigDict(strict=False, validate_by_alias=True)

    since: Annotated[When, Field(alias="from")]
    """Its first picture is the first of then or later."""
    until: Annotated[When, Field(alias="to")]
    """Its end."""
    download: bool = False
    """As a file to be saved."""


class ShownSpan(Body):
    """Video without a gap."""

    since: Annotated[float, Field(alias="from")]
    until: Annotated[float, Field(alias="to")]
    has_event: bool
    """It lies around events that are recorded."""


class ShownSegment(Body):
    """One file of it. It is at `{id}.mp4` below the path of the list, its beginning at `{id}/init.mp4`."""

    id: str
    """A UUIDv7: sorted by it, segments are in the order they began."""
    began_at: float
    ended_at: float | None
    """Null: it is being written."""
    codec: str
    """FFmpeg's name."""
    mime: str
    """As `MediaSource.isTypeSupported` takes it (RFC 6381)."""
    width: int
    height: int
    pictures: int
    size: int
    """Bytes."""
    follows: bool
    """It goes on where the one before ended, in the same form."""
    has_event: bool
    unreachable: bool
    """It lies with a replica of the cluster that cannot be reached now."""
    fragments: tuple[tuple[int, int, int, int, int], ...] | None
    """Of each its offset and size in bytes, the time of its first picture in the segment and its length in
    milliseconds, and whether playing may begin with it, 1 or 0. Null where they were not asked for."""


class ShownRecordings(Body):
    """The answer of `GET …/recordings`."""

    stream: str
    since: Annotated[float, Field(alias="from")]
    until: Annotated[float, Field(alias="to")]
    spans: tuple[ShownSpan, ...]
    segments: tuple[ShownSegment, ...]
    more: float | None
    """There are more segments: `from` of the next question. Null: there are none."""


class ShownDay(Body):
    """One day with recordings."""

    day: str
    """2026-11-29."""
    seconds: float
    bytes: int
    events: int


class ShownDays(Body):
    """The answer of `GET …/recordings/days`."""

    stream: str
    days: tuple[ShownDay, ...]


class ShownTimeline(Body):
    """The answer of `GET …/recordings/timeline`."""

    stream: str
    since: Annotated[float, Field(alias="from")]
    until: Annotated[float, Field(alias="to")]
    step: int
    spans: tuple[ShownSpan, ...]
    labels: tuple[str, ...]
    """Classes that were seen."""
    seen: tuple[tuple[float, int, int, float], ...]
    """Where a step begins, the class by its place in `labels`, samples that found it, and the best score."""


class ShownClass(Body):
    """A class in `ShownBoxes`."""

    label: str
    class_id: int


class ShownBoxes(Body):
    """The boxes of a segment's samples, in columns; the last four have an entry a box, `boxes` four."""

    segment: str
    stream: str
    began_at: float
    width: int
    """Of the pictures the boxes are in, in pixels."""
    height: int
    classes: tuple[ShownClass, ...]
    times_us: tuple[int, ...]
    """Of each sample's picture, in the segment: microseconds. One with no box found nothing."""
    counts: tuple[int, ...]
    """Boxes of each sample."""
    class_index: tuple[int, ...]
    """By its place in `classes`."""
    scores: tuple[float, ...]
    boxes: tuple[float, ...]
    """x_min, y_min, x_max, y_max in pixels."""
    tracker_ids: tuple[int, ...]
    """0: it was not followed."""


class ClipPart(Body):
    """Video without a gap within a clip."""

    at: float
    """Seconds into the clip."""
    since: Annotated[float, Field(alias="from")]
    """When that was."""
    seconds: float
    """How long it is."""


class ClipBox(Body):
    """One thing that was found."""

    label: str
    class_id: int
    score: float
    box: tuple[float, float, float, float]
    """x_min, y_min, x_max, y_max in pixels."""
    tracker_id: int | None


class ClipSample(Body):
    """What was found in one picture."""

    at: float
    """Seconds into the clip."""
    time: float
    boxes: tuple[ClipBox, ...]


class ClipSidecar(Body):
    """The answer of `GET …/recordings/clip.json`."""

    stream: str
    width: int
    """Of the pictures, in pixels."""
    height: int
    parts: tuple[ClipPart, ...]
    samples: tuple[ClipSample, ...]


class RemovedRecordings(Body):
    """What was removed."""

    segments: int
    bytes: int
