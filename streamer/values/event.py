"""A thing of one class in one stream, from its confirmation to its end: what is kept and told. Values.

Times are UTC, seconds since 1970: people search by them. `pts` are seconds from the stream's first frame.
"""

from dataclasses import dataclass
from typing import Any, Literal

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels of the frame."""

MarkKind = Literal["enter", "leave", "dwell", "cross"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a thing did at a zone or a line."""

    kind: MarkKind
    where: str
    """The zone's or line's name."""
    at: float
    direction: str | None = None
    """Of a crossing: "forward" (the line's first point on the left hand) or "backward"."""

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"kind": self.kind, "where": self.where, "at": round(self.at, 3)} | (
            {} if self.direction is None else {"direction": self.direction}
        )


@dataclass(frozen=True, slots=True)
class Event:
    """As it is known by now; a later one of the same id takes its place."""

    id: str
    """A UUIDv7 of the time it began: sorted by it, events are in the order they began."""
    stream: str
    label: str
    class_id: int
    tracker_id: int
    model: str
    version: int
    began_at: float
    last_at: float
    """When it was seen last."""
    began_pts: float
    last_pts: float
    score: float
    """The best."""
    box: Box
    """Where it was then."""
    width: int
    """Of that frame, in pixels."""
    height: int
    ended_at: float | None = None
    """None: it goes on."""
    zones: tuple[str, ...] = ()
    """All it has been in."""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Boxed:
    """One of the boxes in a picture."""

    label: str
    class_id: int
    score: float
    box: Box
    tracker_id: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What an event looked like at its best."""

    image: bytes
    """JPEG at the camera's size, nothing drawn on it."""
    thumbnail: bytes
    """JPEG of the thing and what is around it."""
    boxes: tuple[Boxed, ...] = ()
    """All that was detected in that frame."""

    def __len__(self) -> int:
        """Bytes of both."""
        return len(self.image) + len(self.thumbnail)
