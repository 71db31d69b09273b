"""What the source answered on a few pictures: carried to the process that proves, and kept with every version.

assets.extra/golden/answers.json    tolerance, digest of the pictures, and the detections of each
                    picture-1.png   … picture-8.png, as the model sees them; pictures given by the user stay away
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.signature import DETECTION_BOXES, DETECTION_CLASSES, DETECTION_SCORES, NUM_DETECTIONS

GOLDEN = "assets.extra/golden"
"""Where a version directory keeps its golden pictures and answers."""

TOLERANCE = 1e-4
"""The greatest difference of a coordinate (0..1) or a score that still counts as the same detection."""

_ANSWERS = "answers.json"
_FORMAT = 1


class GoldenError(ValueError):
    """Golden pictures or answers that are not there, or cannot be read."""


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

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """The rows that `to_json` gave; an empty list still has four columns of boxes."""
        boxes, scores, classes = (np.asarray(found[name], np.float32) for name in ("boxes", "scores", "classes"))
        return cls(boxes.reshape(len(scores), 4), scores, classes)

    def to_json(self) -> dict[str, Any]:
        """The rows as lists; every float32 has the digits that bring the very same number back."""
        return {"boxes": self.boxes.tolist(), "scores": self.scores.tolist(), "classes": self.classes.tolist()}

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
    """uint8 [P, H, W, 3], RGB; [0, H, W, 3] where they were not kept."""
    answers: list[Rows]
    """One for each picture; none where only the model's own consistency is to be proven."""
    digest: str = ""
    """The pictures' SHA-256, also of pictures that were not kept."""
    tolerance: float = TOLERANCE

    @classmethod
    def ask(
        cls, reference: Callable[[NDArray[np.uint8]], dict[str, NDArray[Any]]], pictures: NDArray[np.uint8]
    ) -> Self:
        """Run the source on each picture alone."""
        answers = [Rows.of(reference(pictures[i : i + 1]), 0) for i in range(len(pictures))]
        return cls(pictures, answers, digest(pictures))

    def save(self, directory: Path, *, pictures: bool = True) -> None:
        """Write the directory; without `pictures` only their digest, because photos may be private."""
        directory.mkdir(parents=True)
        document = {
            "format": _FORMAT,
            "tolerance": self.tolerance,
            "pictures": {"kept": len(self.pictures) if pictures else 0, "sha256": self.digest},
            "answers": [rows.to_json() for rows in self.answers],
        }
        (directory / _ANSWERS).write_text(json.dumps(document) + "\n")
        for number, picture in enumerate(self.pictures if pictures else (), start=1):
            # PNG, because a model's answer to a picture that went through a lossy format is another answer.
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            _, encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 9])
            _picture(directory, number).write_bytes(encoded.tobytes())

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            GoldenError: a file is missing or of another form, or a picture is not the one that was saved.
        """
        path = directory / _ANSWERS
        try:
            document = json.loads(path.read_text())
            found, tolerance = document["format"], float(document["tolerance"])
            answers = [Rows.from_json(rows) for rows in document["answers"]]
            kept, sha256 = int(document["pictures"]["kept"]), str(document["pictures"]["sha256"])
        except OSError as error:
            raise GoldenError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise GoldenError(f"{path} is not of the form that an export writes: {error}") from error
        if found != _FORMAT:
            raise GoldenError(f"{path} is of format {found}; known here is {_FORMAT}")
        pictures = _read_pictures(directory, kept)
        if kept and digest(pictures) != sha256:
            raise GoldenError(f"the pictures in {directory} are not those its answers belong to")
        return cls(pictures, answers, sha256, tolerance)


def digest(pictures: NDArray[np.uint8]) -> str:
    """The SHA-256 of shape and pixels, in hexadecimal."""
    return hashlib.sha256(repr(pictures.shape).encode() + pictures.tobytes()).hexdigest()


def _picture(directory: Path, number: int) -> Path:
    return directory / f"picture-{number}.png"


def _read_pictures(directory: Path, count: int) -> NDArray[np.uint8]:
    pictures = []
    for number in range(1, count + 1):
        if (picture := cv2.imread(str(_picture(directory, number)))) is None:
            raise GoldenError(f"cannot read {_picture(directory, number)}")
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return np.stack(pictures).astype(np.uint8) if pictures else np.zeros((0, 1, 1, 3), np.uint8)
