"""What a model found in one frame. A value."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    frame_time: int
    """The frame's time in microseconds of its source's own clock, by which its picture is known too."""
    opening: int
    """Counts the connections of its source: `frame_time` means something within one of them."""
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
    chosen_at: float = 0.0
    """Monotonic, when the frame was chosen for the model; 0 where nobody said."""
    sent_at: float = 0.0
    """Monotonic, when the call that carries it left; 0 where nobody said."""
    frame_time: int = 0
    """Frame.coded_at of the frame; 0 where nobody said."""
    opening: int = 0
    """Of the frame's source."""
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
            "frame_time": self.frame_time,
            "opening": self.opening,
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

    def taken(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Detections":
        """The answer with these of its rows alone, in that order; what each is known as must not be told yet."""
        labels = tuple([self.labels[row] for row in np.arange(len(self))[rows]])
        return replace(
            self,
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            class_ids=self.class_ids[rows],
            labels=labels,
            unnamed=self.unnamed.intersection(labels),
            faint=None,
        )

    def _followed(self) -> tuple[Followed | None, ...]:
        return self.followed or (None,) * len(self)


def joined(answers: Sequence[Detections]) -> Detections:
    """The rows of several answers to one frame, one after the other; all else is the first one's."""
    return replace(
        answers[0],
        boxes=np.concatenate([answer.boxes for answer in answers]),
        scores=np.concatenate([answer.scores for answer in answers]),
        class_ids=np.concatenate([answer.class_ids for answer in answers]),
        labels=sum((answer.labels for answer in answers), ()),
        unnamed=frozenset().union(*(answer.unnamed for answer in answers)),
        faint=None,
    )
