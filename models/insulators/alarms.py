"""Healthy footage, and how often something is called a defect in it.

A drone's slow pan over photos without a single break, sampled as the service samples.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.accuracy import Found
from sightline_models.insulators.picture import CLASSES, Picture

SAMPLE_FPS: Final = 5.0
SECONDS: Final = 5.0
"""Over one photo."""
SAMPLES: Final = round(SAMPLE_FPS * SECONDS)
PASSES: Final = 3
"""Over all of them, each time another way."""
WIDTH, HEIGHT = 1280, 720
DEFECT: Final = CLASSES.index("defect")
SAME: Final = 0.3
"""IoU from which the defect of one sample is the same alarm as that of the sample before."""


@dataclass(frozen=True)
class Alarms:
    """What was called a defect where there is none."""

    minutes: float
    boxes: int
    """In all samples."""
    alarms: int
    """Boxes that do not overlap one of the sample before: a gap that moves fast is counted more than once."""


def pan(photos: Sequence[Picture], passes: int = PASSES) -> Iterator[NDArray[np.uint8]]:
    """A drone's samples [720, 1280, 3]: SAMPLES of a slow move and zoom over each photo that shows no defect, `passes`
    times over all of them.
    """
    rng = np.random.default_rng(0)
    for photo in [*photos] * passes:
        if DEFECT in photo.classes:
            continue
        height, width = photo.image.shape[:2]
        widest = min(width, height * WIDTH / HEIGHT)
        ends = []
        for _ in range(2):
            wide = widest * rng.uniform(0.6, 1.0)
            tall = wide * HEIGHT / WIDTH
            ends.append((wide, rng.uniform(0, width - wide), rng.uniform(0, height - tall)))
        for step in np.linspace(0, 1, SAMPLES):
            wide, left, top = (a + (b - a) * step for a, b in zip(*ends, strict=True))
            scale = WIDTH / wide
            matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
            yield np.asarray(cv2.warpAffine(photo.image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR), np.uint8)


def count_alarms(found: Iterable[Found], min_score: float) -> Alarms:
    """Count what was called a defect with at least `min_score` in the samples of `pan`."""
    boxes = alarms = samples = 0
    before = np.zeros((0, 4), np.float32)
    for one in found:
        if samples % SAMPLES == 0:  # another photo: whatever is there now was not there before
            before = np.zeros((0, 4), np.float32)
        now = one.boxes[(one.classes == DEFECT) & (one.scores >= min_score)]
        samples += 1
        boxes += len(now)
        alarms += sum(not (_iou(box, before) >= SAME).any() for box in now)
        before = now
    return Alarms(samples / SAMPLE_FPS / 60, boxes, alarms)


def _iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(shared / (areas - shared), np.float32)
