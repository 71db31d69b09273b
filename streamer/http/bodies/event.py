"""Events that are kept: how they are shown, asked for and judged."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from streamer.http.bodies.body import Body
from streamer.values.uuid7 import PATTERN

ExportFormat = Literal["csv", "json", "coco", "yolo"]
"""Of coco and yolo, only pictures that were judged."""

MOST = 1000
"""Events in one answer."""

Moment = Annotated[float, Field(ge=0, lt=1e11)]
"""Seconds since 1970, UTC."""


def _id(text: str) -> str:
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text[:40]!r} is no event's id")
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no text may hold a NUL")  # PostgreSQL has no place for one
    return text


# The patterns stand in the description alone: of our own sentences one says what is meant.
EventId = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"pattern": f"^{PATTERN}$"})]
Words = Annotated[
    str, AfterValidator(_without_nul), Field(max_length=2000, json_schema_extra={"pattern": r"^[^\x00]*$"})
]


class OfStreams(Body):
    """Of which streams."""

    model_config = ConfigDict(strict=False, validate_by_alias=True)

    stream: Words | None = None
    """A name, or several with commas between."""


class EventFilter(OfStreams):
    """Which events; all of it at once."""

    label: Annotated[Words | None, Field(alias="class")] = None
    """A class, or several with commas between."""
    zone: Words | None = None
    """It has been in."""
    line: Words | None = None
    """It has crossed."""
    since: Annotated[Moment | None, Field(alias="from")] = None
    """Began then or later."""
    until: Annotated[Moment | None, Field(alias="to")] = None
    """Began before."""
    min_score: Annotated[float | None, Field(ge=0, le=1)] = None
    reviewed: Literal["confirmed", "false", "any", "none"] | None = None
    bookmarked: bool | None = None


class EventSearch(EventFilter):
    """What `GET /api/events` is asked for."""

    cursor: EventId | None = None
    """As the answer before had it."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50


class EventExport(EventFilter):
    """What `GET /api/events/export` is asked for."""

    format: ExportFormat


class ShownMark(Body):
    """What a thing did at a zone or a line."""

    kind: Literal["enter", "leave", "dwell", "cross"]
    where: str
    at: float
    direction: Literal["forward", "backward"] | None = None
    """Of a crossing."""


class ShownEvent(Body):
    """One event. Times are seconds since 1970, UTC."""

    id: str
    """A UUIDv7: sorted by it, events are in the order they began."""
    stream: str
    label: str
    class_id: int
    tracker_id: int
    model: str
    version: int
    began_at: float
    last_at: float
    """Seen last."""
    ended_at: float | None
    """Null: it goes on."""
    began_pts: float
    last_pts: float
    score: float
    """The best."""
    box: tuple[float, float, float, float]
    """[x_min, y_min, x_max, y_max] at its best, in pixels of `width` × `height`."""
    width: int
    height: int
    zones: tuple[str, ...]
    """All it has been in."""
    marks: tuple[ShownMark, ...]
    has_picture: bool
    reviewed: Literal["confirmed", "false"] | None
    note: str
    bookmarked: bool
    reviewed_by: str | None
    """As the audit has it: whom a proxy calls anna is `anna (proxy)`."""
    reviewed_at: float | None
    changed: int
    """Rises with each change of any event; `Last-Event-ID` of the event stream."""


class EventPage(Body):
    """The answer of `GET /api/events`."""

    events: tuple[ShownEvent, ...]
    """The newest first."""
    cursor: str | None
    """Asks for those before; null: there are none."""
    failing: str | None
    """Why nothing can be kept for now, as a clause: what is seen waits. Null: it can be."""
    storage_failing: str | None
    """Why nothing can be brought to object storage for now: it waits on this machine. Null: it can be, or there is
    none."""


class EventFacets(Body):
    """Names that events have, each once and in order."""

    streams: tuple[str, ...]
    """All that one may see, whichever are asked for."""
    classes: tuple[str, ...]
    zones: tuple[str, ...]
    lines: tuple[str, ...]


class EventReview(Body):
    """What is said of an event; what is left out stays as it is."""

    reviewed: Literal["confirmed", "false"] | None = None
    """Null, where it is there: nobody has judged it."""
    note: Words | None = None
    bookmarked: bool | None = None
