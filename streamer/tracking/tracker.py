"""Detections over time: which box is which, and where each is between two samples. Pure.

Greedy matching by overlap within a label, then straight-line motion: interpolated between two samples, extrapolated
after the last one for a short while. At a few samples a second that is what keeps boxes on moving things; anything
cleverer (ByteTrack, Zhang et al. 2022) needs more samples than a shared model gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.values.detections import Detections
from streamer.values.track import TrackedBox, edges_of

MIN_OVERLAP = 0.2
"""Intersection over union from which two boxes of one label are the same thing."""
MAX_HISTORY = 4
"""Samples remembered of each track: a frame may be shown a little after newer samples were answered."""

FloatArray = NDArray[np.float32]


@dataclass(slots=True)
class _Track:
    tracker_id: int
    label: str
    """What makes two boxes the same kind of thing, and what people read. Class ids are the model's own numbers: after
    a rollout the same number may stand for something else."""
    points: list[tuple[float, FloatArray, float, int]] = field(default_factory=list)
    """(pts, box, score, class id) of its newest samples, oldest first."""

    def at(self, pts: float, reach: float) -> FloatArray | None:
        """The box at `pts`: interpolated, or extrapolated up to `reach` seconds beyond the last sample."""
        first, last = self.points[0], self.points[-1]
        if pts < first[0] - 1e-6 or pts > last[0] + reach:
            return None
        sampled = next((point for point in self.points if abs(point[0] - pts) < 1e-6), None)
        if sampled is not None or len(self.points) == 1:
            return (sampled or last)[1]
        after = next((index for index, point in enumerate(self.points) if point[0] >= pts), len(self.points) - 1)
        before = max(after - 1, 0)
        after = max(after, 1)
        (start, box, *_), (end, other, *_) = self.points[before], self.points[after]
        share = (pts - start) / max(end - start, 1e-3)
        return np.asarray(box * (1 - share) + other * share, dtype=np.float32)


class Tracker:
    """The tracks of one stream."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._samples: list[float] = []
        """pts of the newest answered samples."""

    def update(self, detections: Detections) -> None:
        """Take in one sample's answer; one older than the newest taken is too late to matter."""
        pts = detections.pts
        if self._samples and pts <= self._samples[-1]:
            return
        self._samples = [*self._samples, pts][-MAX_HISTORY:]
        taken = self._match(detections)
        for row in range(len(detections)):
            track = taken.get(row)
            if track is None:
                track = _Track(self._next_id, detections.labels[row])
                self._next_id += 1
                self._tracks.append(track)
            point = (pts, detections.boxes[row], float(detections.scores[row]), int(detections.class_ids[row]))
            track.points = [*track.points, point][-MAX_HISTORY:]
        horizon = self._samples[0]
        self._tracks = [track for track in self._tracks if track.points[-1][0] >= horizon]

    def at(self, pts: float) -> list[TrackedBox]:
        """Where everything is in the frame at `pts`; on a sampled frame, exactly what the model said of it."""
        reach = 1.5 * self._interval()
        sample = max((taken for taken in self._samples if taken <= pts + 1e-6), default=None)
        found = []
        for track in self._tracks:
            box = track.at(pts, reach)
            # Seen in the last sample at or before this frame, else it has gone or has not come yet.
            seen = next((point for point in track.points if sample is not None and abs(point[0] - sample) < 1e-6), None)
            if box is not None and seen is not None:
                found.append(TrackedBox(track.tracker_id, edges_of(box), track.label, seen[3], seen[2]))
        return found

    def clear(self) -> None:
        """Forget everything: the geometry changed, or the stream began anew."""
        self._tracks.clear()
        self._samples.clear()

    def _interval(self) -> float:
        """Seconds between samples, as they come; a lone one is given half a second."""
        if len(self._samples) < 2:
            return 0.5
        return (self._samples[-1] - self._samples[0]) / (len(self._samples) - 1)

    def _match(self, detections: Detections) -> dict[int, _Track]:
        """Which row continues which track, best overlap first."""
        reach = 3 * self._interval()
        places = [(track, box) for track in self._tracks if (box := track.at(detections.pts, reach)) is not None]
        if not places or not len(detections):
            return {}
        # All pairs at once: a hundred boxes one by one cost the event loop 20 ms a sample.
        overlaps = overlap(np.stack([box for _, box in places])[:, np.newaxis], detections.boxes)
        same = np.asarray([track.label for track, _ in places])[:, np.newaxis] == np.asarray(detections.labels)
        candidates = [
            (float(overlaps[number, row]), places[number][0], int(row))
            for number, row in np.argwhere(same & (overlaps >= MIN_OVERLAP))
        ]
        taken: dict[int, _Track] = {}
        used: set[int] = set()
        for _, track, row in sorted(candidates, key=lambda candidate: -candidate[0]):
            if row not in taken and track.tracker_id not in used:
                taken[row] = track
                used.add(track.tracker_id)
        return taken


def overlap(box: FloatArray, boxes: FloatArray | Sequence[Sequence[float]]) -> FloatArray:
    """Intersection over union of one box with each of `boxes` ([K, 4]), all x_min, y_min, x_max, y_max.

    A `box` of shape [T, 1, 4] is T boxes; the answer is [T, K] then instead of [K].
    """
    others = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    low = np.maximum(box[..., :2], others[:, :2])
    high = np.minimum(box[..., 2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    area = np.prod(box[..., 2:] - box[..., :2], axis=-1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=-1)
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-6), dtype=np.float32)
