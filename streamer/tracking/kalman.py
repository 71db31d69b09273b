"""Where things are and how they move, of each picture's things at once: a Kalman filter of constant velocity. Pure.

It lives in the camera's motion: a velocity is what a thing does beyond that. Place (centre x and y) and size (width and
height) are filtered alike and apart, both coordinates of each with one covariance. Lengths are in pixels of a picture
WIDTH wide, and scaled to what the picture really has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.tracking.similarity import Boxes, Similarity

WIDTH = 1280.0
ACCELERATION = 0.08 * WIDTH
"""Of places, pixels/s²: what a velocity may change by. Less suits planes, more suits what turns back."""
GROWTH = 0.3
"""Of it, of sizes."""
SHARES = np.array([1.0, GROWTH**2])
"""Of its variance, of places and of sizes."""
BEGINNING = 0.15 * WIDTH
"""Standard deviation of a new thing's velocity, pixels/s."""
DEVIATION = 2.5
"""Of the model's edges, pixels, beside EDGE of the shorter side, which counts up to LONGEST."""
EDGE = 0.05
LONGEST = 120.0
FAINT = 2.0
"""Variance of a faint answer's edges against a strong one's."""
LEAST_SIDE = 1.0
"""Pixels: no box is smaller."""

Covariances = NDArray[np.float64]
"""[3, N, 2]: variance of the value, covariance with its velocity, variance of that; each of place and of size."""


@dataclass(frozen=True, slots=True)
class States:
    """N things at one moment."""

    boxes: Boxes
    velocities: NDArray[np.float64]
    """[N, 4]: of the boxes' four numbers, a second."""
    covariances: Covariances

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: NDArray[np.intp]) -> "States":
        """Those of these rows."""
        return States(self.boxes[rows], self.velocities[rows], self.covariances[:, rows])

    def joined(self, others: "States") -> "States":
        """These and, behind them, others."""
        return States(
            np.concatenate([self.boxes, others.boxes]),
            np.concatenate([self.velocities, others.velocities]),
            np.concatenate([self.covariances, others.covariances], axis=1),
        )

    def moved(self, camera: Similarity) -> "States":
        """As the camera's motion carries them, in no time."""
        return States(camera.boxes(self.boxes), camera.motions(self.velocities), self.covariances * camera.scale**2)

    def ahead(self, seconds: float) -> Boxes:
        """Where they are that much later, for an unmoved camera."""
        boxes = self.boxes + self.velocities * seconds
        boxes[:, 2:] = np.maximum(boxes[:, 2:], LEAST_SIDE)
        return boxes

    def predicted(self, seconds: float, width: int) -> "States":
        """That much later, and as much less certain; `width`: of the picture, in pixels."""
        noise = (ACCELERATION * width / WIDTH) ** 2 * seconds**2
        carried = np.array([[1.0, 2 * seconds, seconds**2], [0.0, 1.0, seconds], [0.0, 0.0, 1.0]])
        covariances = (carried @ self.covariances.reshape(3, -1)).reshape(self.covariances.shape)
        covariances += np.array([[[noise * seconds**2 / 4]], [[noise * seconds / 2]], [[noise]]]) * SHARES
        return States(self.ahead(seconds), self.velocities, covariances)

    def corrected(self, rows: NDArray[np.intp], seen: Boxes, faint: NDArray[np.bool_], width: int) -> "States":
        """With `seen[k]` found of row `rows[k]`, faintly or not; the others as they are."""
        found, variances = self.boxes.copy(), np.full(len(self), np.inf)  # endless: nothing is learned of it
        found[rows] = seen
        variances[rows] = _variances(seen, width) * np.where(faint, FAINT, 1.0)
        value, shared, speed = self.covariances
        gains = self.covariances[:2] / (value + variances[:, np.newaxis])
        # [2, N, 4]: both coordinates of a place, and both of a size, have one.
        steps = (found - self.boxes) * gains.repeat(2, axis=2)
        boxes, velocities = self.boxes + steps[0], self.velocities + steps[1]
        np.maximum(boxes[:, 2:], LEAST_SIDE, out=boxes[:, 2:])
        left = 1 - gains[0]
        return States(boxes, velocities, np.stack([left * value, left * shared, speed - gains[1] * shared]))


def begun(boxes: Boxes, width: int) -> States:
    """Things seen for the first time, standing still as far as is known."""
    covariances = np.zeros((3, len(boxes), 2))
    covariances[0] = _variances(boxes, width)[:, np.newaxis]
    covariances[2] = (BEGINNING * width / WIDTH) ** 2 * SHARES
    return States(boxes, np.zeros_like(boxes), covariances)


def _variances(boxes: Boxes, width: int) -> NDArray[np.float64]:
    """[N] of what the model says of an edge, pixels²."""
    unit = width / WIDTH
    return np.asarray((DEVIATION * unit + EDGE * np.minimum(np.minimum(boxes[:, 2], boxes[:, 3]), LONGEST * unit)) ** 2)
