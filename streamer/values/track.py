"""Where a followed thing is in one frame. Values."""

from dataclasses import dataclass

from numpy import float32
from numpy.typing import NDArray

from streamer.values.detections import Detections


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """Where one thing is in one frame."""

    tracker_id: int
    box: tuple[float, float, float, float]
    """x_min, y_min, x_max, y_max in pixels."""
    label: str
    class_id: int
    score: float


def boxes_of(detections: Detections) -> list[TrackedBox]:
    """One answer's boxes as the model said them; with tracker id 0 where nobody follows them."""
    ids = [0 if each is None else each.tracker_id for each in detections.followed] or [0] * len(detections)
    rows = zip(ids, detections.boxes, detections.labels, detections.class_ids, detections.scores, strict=True)
    return [
        TrackedBox(tracker_id, edges_of(box), label, int(class_id), float(score))
        for tracker_id, box, label, class_id, score in rows
    ]


def edges_of(box: NDArray[float32]) -> tuple[float, float, float, float]:
    """A box's x_min, y_min, x_max, y_max as plain numbers."""
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])
