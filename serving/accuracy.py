"""How right boxes are: AP50, precision and recall of each class, all from pycocotools' own matching.

Pure, and without TensorFlow: whoever trains a model and whoever shows its boxes judge them alike. pycocotools is
imported when something is judged, because nothing else needs it.

A found box is right where its IoU with a labelled box of its class that no better scored one has taken is at least 0.5.
A labelled box that is *ignored* counts neither as found nor as missed, nor does what is found on it: for things too
small, too hidden or too doubtful to be asked for.
"""

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

IOUS = np.linspace(0.5, 0.95, 10)
"""COCO's ten, over which its AP is the mean. The first is from where a box is right for all other figures."""
MAX_FOUND = 100
"""Boxes judged of one picture and class, best first: COCO's number, and the most the service takes of one frame."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is in one picture."""

    boxes: NDArray[np.float32]
    """[B, 4]: x_min, y_min, x_max, y_max in pixels."""
    classes: NDArray[np.int64]
    """[B], 0 for the first class."""
    ignored: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """[B], or empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one picture."""

    boxes: NDArray[np.float32]
    """[K, 4]: x_min, y_min, x_max, y_max in pixels."""
    scores: NDArray[np.float32]
    """[K]; any order."""
    classes: NDArray[np.int64]
    """[K], 0 for the first class."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One class over all pictures; nan where nothing was there to divide by."""

    ap50: float
    """Average precision at IoU 0.5 over every score: nan where nothing is labelled."""
    ap: float
    """COCO's own: the mean of the average precisions at IoU 0.5, 0.55, … 0.95, which asks for tight boxes."""
    precision: float
    """At the score asked for: nan where nothing was found."""
    recall: float
    """At the score asked for: nan where nothing is labelled."""
    labelled: int
    """Boxes to be found."""
    found: int
    """Boxes found at the score asked for, right or wrong."""


def measure(
    labelled: Sequence[Labelled], found: Sequence[Found], classes: Sequence[str], *, min_score: float = 0.0
) -> dict[str, Accuracy]:
    """Judge what was found in each picture by what is in it.

    Args:
        labelled: one for each picture.
        found: one for each picture, in the same order.
        classes: the names that the class numbers stand for.
        min_score: the score from which on a box counts for precision and recall. AP50 takes them all.

    Returns:
        the figures of each class, by name.

    Raises:
        ValueError: the pictures are not equally many.
        ModuleNotFoundError: pycocotools is not installed.
    """
    if len(labelled) != len(found):
        raise ValueError(f"{len(labelled)} pictures are labelled and {len(found)} were looked at")
    evaluation = _evaluate(labelled, found, classes)
    precision = evaluation.eval["precision"][:, :, :, 0, 0]  # [IoU, recall step, class]; -1 where nothing is labelled
    images: list[dict[str, Any] | None] = evaluation.evalImgs  # class by class, each over all pictures
    figures = {}
    for number, name in enumerate(classes):
        mine = [image for image in images[number * len(found) : (number + 1) * len(found)] if image is not None]
        steps = precision[..., number]
        ap50, ap = (float(steps[0].mean()), float(steps.mean())) if steps.max() >= 0 else (math.nan, math.nan)
        figures[name] = _count(mine, ap50, ap, min_score)
    return figures


def _count(images: Sequence[dict[str, Any]], ap50: float, ap: float, min_score: float) -> Accuracy:
    """One class' figures from its matches in each picture (COCOeval.evaluateImg)."""
    scores = np.concatenate([[], *(image["dtScores"] for image in images)])
    ignored = np.concatenate([[], *(image["dtIgnore"][0] for image in images)]).astype(bool)
    right = np.concatenate([[], *(image["dtMatches"][0] for image in images)]) > 0
    counted = (scores >= min_score) & ~ignored
    labelled = sum(int(np.count_nonzero(image["gtIgnore"] == 0)) for image in images)
    hits, found = int(np.count_nonzero(right & counted)), int(np.count_nonzero(counted))
    return Accuracy(
        ap50=ap50,
        ap=ap,
        precision=hits / found if found else math.nan,
        recall=hits / labelled if labelled else math.nan,
        labelled=labelled,
        found=found,
    )


def _evaluate(labelled: Sequence[Labelled], found: Sequence[Found], classes: Sequence[str]) -> Any:
    """A COCOeval that has matched and accumulated."""
    from pycocotools.cocoeval import COCOeval

    truth = [
        # COCO's crowd: many may be found there, and none of them counts.
        _annotation(picture, box, label, iscrowd=int(ignored))
        for picture, one in enumerate(labelled)
        for box, label, ignored in zip(one.boxes, one.classes, _mask(one), strict=True)
    ]
    results = [
        _annotation(picture, box, label, iscrowd=0, score=float(score))
        for picture, one in enumerate(found)
        for box, label, score in zip(one.boxes, one.classes, one.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how long everything took
        evaluation = COCOeval(_coco(truth, len(found), classes), _coco(results, len(found), classes), "bbox")
        evaluation.params.iouThrs = IOUS
        evaluation.params.maxDets = [MAX_FOUND]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, math.inf]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _mask(one: Labelled) -> NDArray[np.bool_]:
    return one.ignored if len(one.ignored) else np.zeros(len(one.boxes), np.bool_)


def _annotation(picture: int, box: NDArray[np.float32], label: int, **more: Any) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = (float(edge) for edge in box)
    width, height = x_max - x_min, y_max - y_min
    place = {"bbox": [x_min, y_min, width, height], "area": width * height}
    return {"image_id": picture, "category_id": int(label) + 1, **place, **more}


def _coco(annotations: Sequence[dict[str, Any]], pictures: int, classes: Sequence[str]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": index} for index in range(pictures)],
        # From 1: COCOeval writes the id of what a box matched, and 0 for nothing.
        "annotations": [{"id": number, **item} for number, item in enumerate(annotations, start=1)],
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(classes)],
    }
    coco.createIndex()
    return coco
