"""A picture shifted, turned and scaled into another, in pixels. A value, and pure.

Points are complex numbers, x + yj, so that a turn with its scale is one factor: p becomes turn * p + shift.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""[N, 4]: centre x, centre y, width, height in pixels."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """Where the points of one picture are in another."""

    turn: complex = 1 + 0j
    """Its angle is the turn's, its size the scale's."""
    shift: complex = 0j
    """Pixels, after the turn."""

    @property
    def scale(self) -> float:
        """How much larger everything is."""
        return abs(self.turn)

    def after(self, earlier: "Similarity") -> "Similarity":
        """Both, `earlier` first."""
        return Similarity(self.turn * earlier.turn, self.turn * earlier.shift + self.shift)

    def inverse(self) -> "Similarity":
        """The way back."""
        return Similarity(1 / self.turn, -self.shift / self.turn)

    def part(self, share: float) -> "Similarity":
        """The first `share` of it, 0..1, as good as exact for the little that happens from one frame to the next."""
        return Similarity(1 + (self.turn - 1) * share, self.shift * share)

    def point(self, point: complex) -> complex:
        """Where a point of the one picture is in the other."""
        return self.turn * point + self.shift

    def motions(self, motions: Boxes) -> Boxes:
        """Turned and scaled alone: what boxes do in a second."""
        x, y, scale = self.turn.real, self.turn.imag, self.scale
        # One product: of a handful of boxes numpy spends its time on beginning.
        return np.asarray(motions @ np.array([[x, y, 0, 0], [-y, x, 0, 0], [0, 0, scale, 0], [0, 0, 0, scale]]))

    def boxes(self, boxes: Boxes) -> Boxes:
        """Upright boxes around the same things: centres as points, sides by the scale."""
        return np.asarray(self.motions(boxes) + np.array([self.shift.real, self.shift.imag, 0, 0]))


STILL = Similarity()
"""Nothing moved."""
