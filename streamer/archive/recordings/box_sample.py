"""What was drawn on one sampled frame, small enough to wait and to be kept. Values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.values.track import TrackedBox

WHOLE = 65_535
"""A score of 1; the far end of what an edge can be."""
BEYOND = 0.125
"""Of the frame's width or height, on each side, that an edge may lie outside and still be kept as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxSample:
    """One sampled frame's. Row k of each belongs to one box."""

    width: int
    """Of the frame, in pixels, turned upright."""
    height: int
    names: tuple[tuple[str, int], ...]
    """K of (label, class id)."""
    edges: NDArray[np.uint16]
    """[K, 4]: x_min, y_min, x_max, y_max, from 0 at BEYOND outside on the left or above to WHOLE as far outside on the
    right or below: a step is a fiftieth of a pixel at 1280."""
    scores: NDArray[np.uint16]
    """[K], of which WHOLE is 1."""
    tracker_ids: NDArray[np.int64]
    """[K]; 0: nobody's."""

    def __len__(self) -> int:
        return len(self.names)

    def labels(self) -> dict[str, float]:
        """The best score of each class that is in it."""
        best: dict[str, float] = {}
        for (label, _), score in zip(self.names, (self.scores / WHOLE).tolist(), strict=True):
            best[label] = max(score, best.get(label, 0.0))
        return best


def sample_of(size: tuple[int, int], boxes: Sequence[TrackedBox]) -> BoxSample:
    """Boxes as they are kept.

    Args:
        size: (width, height) of the frame, in pixels.
        boxes: in pixels of it.
    """
    width, height = size
    # Numbers one by one: for the few boxes of a frame that is three times as quick as NumPy.
    edges = [
        _whole_number((edge / side + BEYOND) / (1 + 2 * BEYOND))
        for box in boxes
        for edge, side in zip(box.box, (width, height, width, height), strict=True)
    ]
    return BoxSample(
        width,
        height,
        tuple((box.label, box.class_id) for box in boxes),
        np.array(edges, np.uint16).reshape(-1, 4),
        np.array([_whole_number(box.score) for box in boxes], np.uint16),
        np.array([box.tracker_id for box in boxes], np.int64),
    )


def pixels(edges: NDArray[np.uint16], width: int, height: int) -> NDArray[np.float64]:
    """Edges in pixels again: [K, 4]."""
    shares: NDArray[np.float64] = edges / WHOLE * (1 + 2 * BEYOND) - BEYOND
    return shares * (width, height, width, height)


def _whole_number(share: float) -> int:
    """From 0 to WHOLE; what is no number at all is 0."""
    return round(min(share, 1.0) * WHOLE) if share > 0 else 0
