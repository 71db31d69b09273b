"""A labelled picture."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASSES: Final = ("insulator", "defect")
"""By class index: the label-map id minus one."""


@dataclass(frozen=True)
class Picture:
    """One labelled picture; boxes are x_min, y_min, x_max, y_max in its pixels."""

    name: str
    image: NDArray[np.uint8]
    """uint8 [H, W, 3] RGB."""
    boxes: NDArray[np.float32]
    """[B, 4]."""
    classes: NDArray[np.int64]
    """[B]."""
    ignored: NDArray[np.bool_] | None = None
    """[B]: boxes that need not be found, too small or too hidden; None where all must be."""
    outlines: NDArray[np.float32] | None = None
    """[B, 4, 2]: convex outlines of what the boxes hold; None where only the boxes are known."""
    turnable: bool = False
    """Whether the outlines are tight enough for the boxes to stay true when the picture is turned."""

    @property
    def doubtful(self) -> NDArray[np.bool_]:
        """`ignored`, spelt out."""
        return np.zeros(len(self.boxes), bool) if self.ignored is None else self.ignored

    @property
    def corners(self) -> NDArray[np.float32]:
        """`outlines`, or else the boxes' own corners."""
        return outline_of(self.boxes) if self.outlines is None else self.outlines


def outline_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners [B, 4, 2] of boxes [B, 4], clockwise from the upper left."""
    x_min, y_min, x_max, y_max = boxes.T
    return np.stack([x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max], axis=1).reshape(-1, 4, 2)


def box_of(outlines: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes [B, 4] around outlines [B, P, 2]."""
    return np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)
