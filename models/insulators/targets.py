"""What the network should have said: heat maps and boxes a cell, as TTFNet draws them (arXiv:1909.00700, section 3).

A box's centre is a Gaussian as wide as the box is, so that a thin string gives a thin ridge; every cell under it learns
the box, weighted by the Gaussian. That is many more training signals a picture than one centre cell, and why a few
dozen epochs are enough.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

STRIDE: Final = 8
SPREAD: Final = 0.54 / 6
"""Standard deviation of a centre's Gaussian, as a part of the box's side (0.54 and 6 are TTFNet's)."""
IGNORED: Final = 0.98
"""Heat of a cell where nothing is wrong: next to 1, so that a peak there costs nothing, yet no peak is asked for."""
NARROWEST: Final = 0.45
"""Cells; below it a Gaussian could fall between two cells and leave no positive."""


@dataclass(frozen=True)
class Targets:
    """Of one picture, or of a batch where every array has a leading axis N."""

    heat: NDArray[np.float32]
    """[h, w, C]: 1 at a box's centre cell, falling off."""
    boxes: NDArray[np.float32]
    """[h, w, C, 4] x_min, y_min, x_max, y_max in input pixels; meaningless where the weight is 0."""
    weights: NDArray[np.float32]
    """[h, w, C]: what a cell counts in the box loss; sums to one a box."""

    @classmethod
    def of(
        cls,
        boxes: NDArray[np.float32],
        classes: NDArray[np.int64],
        input_size: tuple[int, int],
        num_classes: int,
        ignored: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
    ) -> Self:
        """Draw the targets of one picture.

        Args:
            boxes: what the network should find.
            classes: their class indices.
            input_size: (width, height) in pixels.
            num_classes: C.
            ignored: boxes and classes of what it may find or not: too small or too hidden to be asked for.
        """
        width, height = input_size[0] // STRIDE, input_size[1] // STRIDE
        heat = np.zeros((height, width, num_classes), np.float32)
        target = np.zeros((height, width, num_classes, 4), np.float32)
        weights = np.zeros((height, width, num_classes), np.float32)
        for box, label in zip(*ignored, strict=True) if ignored is not None else ():
            x_min, y_min, x_max, y_max = (int(value) for value in box // STRIDE)
            heat[max(0, y_min) : max(0, y_max + 1), max(0, x_min) : max(0, x_max + 1), label] = IGNORED
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        for index in np.argsort(-areas):  # small boxes last: they win the cells they share with large ones
            x_min, y_min, x_max, y_max = boxes[index]
            column = min(width - 1, int((x_min + x_max) / 2 / STRIDE))
            row = min(height - 1, int((y_min + y_max) / 2 / STRIDE))
            sigma_x = max(NARROWEST, (x_max - x_min) / STRIDE * SPREAD)
            sigma_y = max(NARROWEST, (y_max - y_min) / STRIDE * SPREAD)
            across = np.exp(-((np.arange(width) - column) ** 2) / (2 * sigma_x**2))
            down = np.exp(-((np.arange(height) - row) ** 2) / (2 * sigma_y**2))
            bump = (down[:, None] * across[None, :]).astype(np.float32)
            label = classes[index]
            heat[..., label] = np.maximum(heat[..., label], bump)
            inside = bump > 0.1
            target[inside, label] = boxes[index]
            weights[inside, label] = bump[inside] / bump[inside].sum()
        return cls(heat, target, weights)

    @classmethod
    def stack(cls, targets: list[Self]) -> Self:
        """Of a batch."""
        return cls(
            np.stack([one.heat for one in targets]),
            np.stack([one.boxes for one in targets]),
            np.stack([one.weights for one in targets]),
        )
