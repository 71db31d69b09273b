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
"""[N, 2, 3]: of place and of size: variance of the value, covariance with its velocity, variance of that."""


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
        return States(self.boxes[rows], self.velocities[rows], self.covariances[rows])

    def joined(self, others: "States") -> "States":
        """These and, behind them, others."""
        return States(
            np.concatenate([self.boxes, others.boxes]),
            np.concatenate([self.velocities, others.velocities]),
            np.concatenate([self.covariances, others.covariances]),
        )

    def moved(self, camera: Similarity) -> "States":
        """As the camera's motion carries them, in no time."""
        velocities = np.concatenate(
            [camera.vectors(self.velocities[:, :2]), self.velocities[:, 2:] * camera.scale], axis=1
        )
        return States(camera.boxes(self.boxes), velocities, self.covariances * camera.scale**2)

    def ahead(self, seconds: float) -> Boxes:
        """Where they are that much later, for an unmoved camera."""
        boxes = self.boxes + self.velocities * seconds
        boxes[:, 2:] = np.maximum(boxes[:, 2:], LEAST_SIDE)
        return boxes

    def predicted(self, seconds: float, width: int) -> "States":
        """That much later, and as much less certain; `width`: of the picture, in pixels."""
        value, shared, speed = np.moveaxis(self.covariances, 2, 0)
        noise = (np.array([1.0, GROWTH]) * ACCELERATION * width / WIDTH) ** 2
        covariances = np.stack(
            [
                value + 2 * seconds * shared + seconds**2 * speed + noise * seconds**4 / 4,
                shared + seconds * speed + noise * seconds**3 / 2,
                speed + noise * seconds**2,
            ],
            axis=2,
        )
        return States(self.ahead(seconds), self.velocities, covariances)

    def corrected(self, rows: NDArray[np.intp], seen: Boxes, faint: NDArray[np.bool_], width: int) -> "States":
        """With `seen[k]` found of row `rows[k]`, faintly or not; the others as they are."""
        value, shared, speed = np.moveaxis(self.covariances[rows], 2, 0)
        measured = _variances(seen, width) * np.where(faint, FAINT, 1.0)
        gains = np.stack([value, shared]) / (value + measured[:, np.newaxis])
        missed = seen - self.boxes[rows]
        boxes, velocities, covariances = self.boxes.copy(), self.velocities.copy(), self.covariances.copy()
        boxes[rows] += missed * np.repeat(gains[0], 2, axis=1)
        velocities[rows] += missed * np.repeat(gains[1], 2, axis=1)
        boxes[rows, 2:] = np.maximum(boxes[rows, 2:], LEAST_SIDE)
        covariances[rows] = np.stack(
            [(1 - gains[0]) * value, (1 - gains[0]) * shared, speed - gains[1] * shared], axis=2
        )
        return States(boxes, velocities, covariances)


def begun(boxes: Boxes, width: int) -> States:
    """Things seen for the first time, standing still as far as is known."""
    covariances = np.zeros((len(boxes), 2, 3))
    covariances[:, :, 0] = _variances(boxes, width)[:, np.newaxis]
    covariances[:, :, 2] = (BEGINNING * width / WIDTH) ** 2 * np.array([1.0, GROWTH**2])
    return States(boxes, np.zeros_like(boxes), covariances)


def _variances(boxes: Boxes, width: int) -> NDArray[np.float64]:
    """[N] of what the model says of an edge, pixels²."""
    unit = width / WIDTH
    return np.asarray((DEVIATION * unit + EDGE * np.minimum(boxes[:, 2:].min(axis=1), LONGEST * unit)) ** 2)
