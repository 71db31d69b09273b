"""All tracks as one answered sample left them, and where they are in frames around it. A value."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.tracking.kalman import States
from streamer.tracking.similarity import Boxes, Similarity

Look = tuple[int, str, int, float]
"""Tracker id, label, class id and score, as they are drawn."""

TO_CENTRES: Final = np.array([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]])
"""What edges are multiplied with; exact, but for the rounding of the one sum, and so is the way back."""
TO_EDGES: Final = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])


@dataclass(frozen=True, slots=True)
class Moment:
    """The N tracks of one sample, the older first."""

    pts: float
    ids: NDArray[np.int64]
    """[N] rising."""
    states: States
    """Where the filter has them in the sample's picture."""
    edges: NDArray[np.float64]
    """[N, 4]: x_min, y_min, x_max, y_max in pixels: the model's own box where it found one, else the filter's."""
    until: NDArray[np.float64]
    """[N] pts up to which each is shown: infinite where the sample found it."""
    looks: tuple[Look, ...]
    """N of them."""

    def drawn(self) -> Boxes:
        """What is drawn on the sampled frame, as centres and sides."""
        return centred(self.edges)

    def carried(self, camera: Similarity, seconds: float, interval: float) -> Boxes:
        """Where everything is `seconds` later, the camera having moved so; the boxes glide from drawn to filtered.

        Within one `interval`, for at the next sample they will be drawn anew.
        """
        left = max(0.0, 1 - seconds / interval)
        return camera.boxes(self.states.ahead(seconds) + (self.drawn() - self.states.boxes) * left)

    def rows_of(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where these tracks stand, and which of them do: rows of those that do not mean nothing."""
        if not len(self.ids):
            return np.zeros(len(ids), np.intp), np.zeros(len(ids), bool)
        rows = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return rows, self.ids[rows] == ids


def centred(edges: NDArray[np.float64]) -> Boxes:
    """[N, 4]: from x_min, y_min, x_max, y_max to centre and sides."""
    return np.asarray(edges @ TO_CENTRES)


def edged(boxes: Boxes) -> NDArray[np.float64]:
    """[N, 4]: from centre and sides to x_min, y_min, x_max, y_max."""
    return np.asarray(boxes @ TO_EDGES)
