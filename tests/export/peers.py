"""What the tests of `sightline export` share: the command in this process, and what it wrote."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import (
    CONTRACT_FILE,
    DETECTION_BOXES,
    DETECTION_CLASSES,
    DETECTION_SCORES,
    NUM_DETECTIONS,
    SERVING_DEFAULT,
    Contract,
)
from sightline_export import cli, proof
from sightline_export.check import Prove

DATA = Path(os.environ.get("SIGHTLINE_DATA", Path(__file__).parents[3] / "shared" / "data"))
"""Samples that are not ours to give away."""

COLOURS = """
import tensorflow as tf

class Colours(tf.Module):
    input_height, input_width = 24, 32
    labels = {1: "red", 2: "green", 3: "blue"}
    resize_rule, pad_value, min_score = "letterbox", 7, 0.25

    def __init__(self):
        super().__init__()
        self.gain = tf.Variable([0.0, 0.0, 0.0])

    def detect(self, images):
        scores = tf.reduce_mean(tf.cast(images, tf.float32), [1, 2]) / 255 * self.gain
        zeros = tf.zeros_like(scores)
        return {
            "detection_boxes": tf.stack([zeros, zeros, scores, scores / 2], axis=-1),
            "detection_scores": scores,
            "detection_classes": zeros + [1.0, 2.0, 3.0],
            "num_detections": tf.fill([tf.shape(images)[0]], 3.0),
        }

def build():
    return Colours()
"""
"""The module of a detector one can compute by hand: a box for each colour, as wide as it is bright, scored by that."""


def sample(*parts: str) -> Path:
    """A file or directory of DATA; the test is skipped by name where it is not there."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there; SIGHTLINE_DATA names the directory of sample data")
    return path


@contextmanager
def in_process() -> Iterator[Prove]:
    """The checks made here: the seconds in which another Python imports TensorFlow are spent in one test of all."""
    yield proof.prove


def export(*argv: object) -> int:
    """Run `sightline export`, and give its exit code."""
    return cli.main([str(argument) for argument in argv], prover=in_process)


def contract_of(version: Path) -> Contract:
    """The contract of a version directory."""
    return Contract.from_json((version / CONTRACT_FILE).read_text())


def detections(version: Path, pictures: NDArray[np.uint8]) -> list[list[tuple[int, float, list[float]]]]:
    """Class, score and box of every detection that a version finds on each picture, best first."""
    model = tf.saved_model.load(str(version))
    found: dict[str, Any] = model.signatures[SERVING_DEFAULT](input_tensor=tf.constant(pictures))
    arrays = {name: tensor.numpy() for name, tensor in found.items()}
    return [
        [
            (
                int(arrays[DETECTION_CLASSES][picture, row]),
                float(arrays[DETECTION_SCORES][picture, row]),
                [float(side) for side in arrays[DETECTION_BOXES][picture, row]],
            )
            for row in range(int(arrays[NUM_DETECTIONS][picture]))
        ]
        for picture in range(len(pictures))
    ]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on standard error, which must be one line."""
    said = capsys.readouterr().err
    assert said.startswith("export: ")
    assert said.count("\n") == 1, said
    return said


Found = tuple[int, float, list[float]]
"""Class, score and box (ymin, xmin, ymax, xmax) of a detection."""


def suppressed(
    boxes: NDArray[Any], scores: NDArray[Any], *, iou: float, score: float, per_class: bool = True, first_class: int = 1
) -> list[Found]:
    """Non-maximum suppression written anew in numpy: `boxes` [A, 4] yxyx in 0..1, `scores` [A, C]; best first."""
    kept: list[tuple[Any, Any]] = []
    rows, columns = np.nonzero(scores > score)
    if not per_class:
        best = np.argmax(scores, axis=1)
        rows, columns = rows[columns == best[rows]], columns[columns == best[rows]]
    for row, column in sorted(zip(rows, columns, strict=True), key=lambda pair: -scores[pair]):
        rivals = (other for other, theirs in kept if theirs == column or not per_class)
        if all(_overlap(boxes[row], boxes[other]) <= iou for other in rivals):
            kept.append((row, column))
    return [
        (int(column) + first_class, float(scores[row, column]), [float(x) for x in np.clip(boxes[row], 0, 1)])
        for row, column in kept
    ]


def _overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared / float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def assert_same(found: list[Found], expected: list[Found], tolerance: float = 1e-4) -> None:
    """Both lists hold the same detections; two of nearly the same score may change places."""
    assert len(found) == len(expected)
    left = list(expected)
    for class_id, score, box in found:
        apart = [
            max(abs(score - theirs[1]), *np.abs(np.subtract(box, theirs[2]))) if class_id == theirs[0] else 9.0
            for theirs in left
        ]
        assert min(apart) < tolerance, (class_id, score, box)
        left.pop(int(np.argmin(apart)))
