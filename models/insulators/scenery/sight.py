"""What the camera really sees of each string, with steel and other strings in front: kept while a frame is painted."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera, Points

COARSE: Final = 4
"""Frame pixels a cell; a power of two."""
SOLID: Final = 5.0
"""Pixels: a bar thinner than this hides nothing that matters."""


class Sight:
    """A coarse picture of which string is seen where, painted far to near like the frame itself."""

    def __init__(self, camera: Camera) -> None:
        self._owners = np.zeros((camera.height // COARSE, camera.width // COARSE), np.uint8)
        self._whole: dict[int, int] = {}

    def hide(self, outline: NDArray[np.int32], shift: int) -> None:
        """Something solid lies here: a convex outline [K, 2] in fixed point with `shift` fractional bits."""
        cv2.fillConvexPoly(self._owners, outline, 0, cv2.LINE_8, shift + COARSE.bit_length() - 1)

    def show(self, number: int, pixels: Points) -> None:
        """Discs of string `number` lie here, inside the hull of `pixels` [K, 2]."""
        hull = cv2.convexHull(np.round(np.clip(pixels, -4000, 6000) / COARSE).astype(np.int32))
        alone = np.zeros_like(self._owners)
        cv2.fillConvexPoly(alone, hull, 1)
        self._whole[number] = self._whole.get(number, 0) + int(alone.sum())
        self._owners[alone > 0] = number + 1

    def share(self, number: int) -> float:
        """How much of what string `number` covers in the picture is seen, 0..1."""
        return float((self._owners == number + 1).sum()) / max(1, self._whole.get(number, 0))

    def extent(self, number: int) -> tuple[float, float, float, float]:
        """Around what is seen of string `number`: x_min, y_min, x_max, y_max in pixels, to a cell's size."""
        rows, columns = np.nonzero(self._owners == number + 1)
        x_min, y_min, x_max, y_max = (
            float(cell * COARSE) for cell in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        )
        return x_min, y_min, x_max, y_max

    def share_inside(self, number: int, box: tuple[float, float, float, float]) -> float:
        """How much of `box` (x_min, y_min, x_max, y_max, pixels) shows string `number`, 0..1."""
        x_min, y_min, x_max, y_max = (round(value / COARSE) for value in box)
        inside = self._owners[max(0, y_min) : max(0, y_max), max(0, x_min) : max(0, x_max)]
        return float((inside == number + 1).mean()) if inside.size else 0.0
