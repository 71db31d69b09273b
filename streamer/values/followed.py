"""What is known of a followed thing beside where it is. A value."""

from typing import NamedTuple

from typing_extensions import TypedDict


class FollowedDocument(TypedDict):
    """What is known of a followed thing, in an event."""

    label: str
    """What most votes call it."""
    first_seen: float
    """`pts` of the first sample that found it."""
    last_seen: float
    """The same of the newest."""
    scores: list[float]
    """Of its newest ten samples, the newest last; 0 for one that missed it."""
    speed: float | None
    """Pixels a second; null while the camera moves, or did lately."""


class Followed(NamedTuple):
    """One thing, as of the newest sample that found it. A tuple, for a hundred of them are made of every sample."""

    tracker_id: int
    """From 1; never given twice by one stream while it runs."""
    label: str
    """What most votes call it, each with its score."""
    class_id: int
    """Of that label."""
    first_seen: float
    """pts of the first sample that found it."""
    last_seen: float
    """pts of the newest."""
    scores: tuple[float, ...]
    """Of its newest samples, oldest first; 0 for one that missed it."""
    speed: float | None
    """Pixels a second; None while the camera moves, or did lately."""

    def event(self) -> FollowedDocument:
        """As events carry it, beside its id; ready for JSON."""
        return {
            "label": self.label,
            "first_seen": round(self.first_seen, 6),
            "last_seen": round(self.last_seen, 6),
            "scores": [round(score, 5) for score in self.scores],
            "speed": None if self.speed is None else round(self.speed, 1),
        }
