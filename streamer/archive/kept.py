"""An event as it is kept: with its picture, and with what people said of it. Values."""

from dataclasses import dataclass
from typing import Any, Literal

from streamer.values.event import Boxed, Event

Verdict = Literal["", "confirmed", "false"]
"""A person's: "" until there is one."""


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of an event."""

    verdict: Verdict = ""
    note: str = ""
    bookmarked: bool = False
    """Kept for as long as it is."""
    by: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One event in the database."""

    event: Event
    changed: int
    """Rises with each change of any event: whoever read up to one may ask for those behind it."""
    made: int = 0
    """The number of the change it came with."""
    review: Review = Review()
    boxes: tuple[Boxed, ...] = ()
    """All that was detected in its picture."""
    picture_bytes: int = 0
    """On disk, picture and thumbnail; 0: it has none."""
    replica: str | None = None
    """Whose disk that is; None: of before there was a cluster."""

    @property
    def news(self) -> Literal["new", "updated", "ended"]:
        """What became of it by its newest change."""
        ended_at, said_at = self.event.ended_at, self.review.at
        if ended_at is not None and (said_at is None or said_at < ended_at):
            return "ended"
        return "new" if self.changed == self.made else "updated"

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        event, review = self.event, self.review
        return {
            "id": event.id,
            "stream": event.stream,
            "label": event.label,
            "class_id": event.class_id,
            "tracker_id": event.tracker_id,
            "model": event.model,
            "version": event.version,
            "began_at": round(event.began_at, 3),
            "last_at": round(event.last_at, 3),
            "ended_at": None if event.ended_at is None else round(event.ended_at, 3),
            "began_pts": round(event.began_pts, 6),
            "last_pts": round(event.last_pts, 6),
            "score": round(event.score, 5),
            "box": [round(edge, 2) for edge in event.box],
            "width": event.width,
            "height": event.height,
            "zones": list(event.zones),
            "marks": [mark.document() for mark in event.marks],
            "has_picture": self.picture_bytes > 0,
            "reviewed": review.verdict or None,
            "note": review.note,
            "bookmarked": review.bookmarked,
            "reviewed_by": review.by or None,
            "reviewed_at": None if review.at is None else round(review.at, 3),
            "changed": self.changed,
        }
