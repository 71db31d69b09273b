"""What a model found in one frame. A value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from streamer.values.followed import Followed, FollowedDocument


class Detection(TypedDict):
    """One thing that was found."""

    label: str
    class_id: int
    """Of the model's label map."""
    score: float
    """0 to 1."""
    box: list[float]
    """[x_min, y_min, x_max, y_max] in pixels of the frame."""
    tracker_id: int | None
    """The same for one thing from sample to sample; null: its answer came too late to be followed."""
    track: FollowedDocument | None
    """What is known of that thing."""


class Event(TypedDict):
    """One sampled frame's answer."""

    stream: str
    pts: float
    """Seconds from the stream's first frame."""
    age_ms: float
    """Milliseconds from the frame's arrival to its answer."""
    model: str
    version: int
    width: int
    """Pixels of the frame."""
    height: int
    detections: list[Detection]


@dataclass(frozen=True, slots=True)
class Detections:
    """One sampled frame's answer. Row k of each array belongs to detection k; scores descend."""

    stream: str
    pts: float
    """Of the frame, in seconds from the stream's first frame."""
    received_at: float
    """Monotonic, of the frame."""
    answered_at: float
    """Monotonic, when the model's answer was there."""
    model: str
    version: int
    width: int
    """Of the frame, in pixels."""
    height: int
    boxes: NDArray[np.float32]
    """[K, 4]: x_min, y_min, x_max, y_max in pixels of the frame."""
    scores: NDArray[np.float32]
    """[K], 0..1."""
    class_ids: NDArray[np.int64]
    """[K], ids of the model's label map."""
    labels: tuple[str, ...]
    """K class names."""
    unnamed: frozenset[str] = frozenset()
    """Those of `labels` that are ours, for ids that the model has no name for: a broken one has millions of them."""
    faint: "Detections | None" = None
    """What the model half saw, below the stream's score: for the tracker alone, to follow what it follows already."""
    followed: tuple[Followed | None, ...] = ()
    """K of them, or none: what each row is known as. None: its answer came too late to be followed."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def age(self) -> float:
        """Seconds from the frame's arrival to its answer."""
        return self.answered_at - self.received_at

    def event(self) -> Event:
        """The event that `/events` sends for this frame, ready for JSON."""
        return {
            "stream": self.stream,
            "pts": round(self.pts, 6),
            "age_ms": round(self.age * 1000, 1),
            "model": self.model,
            "version": self.version,
            "width": self.width,
            "height": self.height,
            "detections": [
                {
                    "label": label,
                    "class_id": int(class_id),
                    "score": round(float(score), 5),
                    "box": [round(float(edge), 2) for edge in box],
                    "tracker_id": None if followed is None else followed.tracker_id,
                    "track": None if followed is None else followed.event(),
                }
                for label, class_id, score, box, followed in zip(
                    self.labels, self.class_ids, self.scores, self.boxes, self._followed(), strict=True
                )
            ],
        }

    def _followed(self) -> tuple[Followed | None, ...]:
        return self.followed or (None,) * len(self)
