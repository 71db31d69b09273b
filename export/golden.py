"""What the source answered on a few pictures, carried from the process that loaded it to the one that proves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from serving.signature import DETECTION_BOXES, DETECTION_CLASSES, DETECTION_SCORES, NUM_DETECTIONS

TOLERANCE = 1e-4
"""The greatest difference of a coordinate (0..1) or a score that still counts as the same detection."""


@dataclass(frozen=True)
class Rows:
    """The detections of one picture, best first."""

    boxes: NDArray[np.float32]
    """float32 [K, 4]."""
    scores: NDArray[np.float32]
    """float32 [K]."""
    classes: NDArray[np.float32]
    """float32 [K]."""

    @classmethod
    def of(cls, outputs: dict[str, Any], index: int) -> Self:
        """The rows that count of picture `index` in a model's outputs, sorted by score as the contract asks."""
        count = int(np.asarray(outputs[NUM_DETECTIONS]).reshape(-1)[index])
        boxes, scores, classes = (
            np.asarray(outputs[name])[index][:count].astype(np.float32)
            for name in (DETECTION_BOXES, DETECTION_SCORES, DETECTION_CLASSES)
        )
        order = np.argsort(-scores, kind="stable")
        return cls(boxes[order], scores[order], classes[order])

    def difference(self, other: "Rows") -> float:
        """The greatest difference of a coordinate or score between two answers; infinite where a detection is missing.

        Detections are paired by likeness, not by rank: two of nearly the same score may change places.
        """
        if len(self.scores) != len(other.scores):
            return float("inf")
        if not len(self.scores):
            return 0.0
        apart = np.maximum(
            np.abs(self.boxes[:, None] - other.boxes[None]).max(axis=2),
            np.abs(self.scores[:, None] - other.scores[None]),
        )
        apart[self.classes[:, None] != other.classes[None]] = np.inf
        greatest = 0.0
        for row in range(len(apart)):
            nearest = int(np.argmin(apart[row]))
            greatest = max(greatest, float(apart[row, nearest]))
            apart[:, nearest] = np.inf
        return greatest


@dataclass(frozen=True)
class Golden:
    """Pictures and the source's answers."""

    pictures: NDArray[np.uint8]
    """uint8 [P, H, W, 3]."""
    answers: list[Rows]
    """One for each picture."""

    @classmethod
    def ask(
        cls, reference: Callable[[NDArray[np.uint8]], dict[str, NDArray[Any]]], pictures: NDArray[np.uint8]
    ) -> Self:
        """Run the source on each picture alone."""
        return cls(pictures, [Rows.of(reference(pictures[i : i + 1]), 0) for i in range(len(pictures))])

    def save(self, path: Path) -> None:
        """Write an .npz file."""
        arrays: dict[str, Any] = {"pictures": self.pictures}
        for index, rows in enumerate(self.answers):
            arrays |= {f"boxes{index}": rows.boxes, f"scores{index}": rows.scores, f"classes{index}": rows.classes}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            pictures = arrays["pictures"]
            answers = [
                Rows(arrays[f"boxes{i}"], arrays[f"scores{i}"], arrays[f"classes{i}"]) for i in range(len(pictures))
            ]
        return cls(pictures, answers)
