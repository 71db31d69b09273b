"""serving.accuracy: AP50, precision and recall, against figures worked out by hand."""

import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from serving.accuracy import Accuracy, Found, Labelled, measure

A, B, C = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 140.0, 40.0), (200.0, 0.0, 240.0, 40.0)
Edges = tuple[float, float, float, float]


def labelled(*boxes: Edges, classes: Sequence[int] | None = None, ignored: Sequence[bool] = ()) -> Labelled:
    """One picture's truth; class 0 unless told otherwise."""
    kinds = [0] * len(boxes) if classes is None else classes
    return Labelled(np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int64), np.array(ignored, np.bool_))


def found(*boxes: tuple[Edges, float], classes: Sequence[int] | None = None) -> Found:
    """What was found in one picture: (box, score)."""
    kinds = [0] * len(boxes) if classes is None else classes
    edges, scores = [box for box, _ in boxes], [score for _, score in boxes]
    return Found(np.array(edges, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(kinds, np.int64))


def one(truth: Sequence[Labelled], boxes: Sequence[Found], *, min_score: float = 0.0) -> Accuracy:
    """The figures of the only class."""
    return measure(truth, boxes, ["thing"], min_score=min_score)["thing"]


def test_all_found_is_one() -> None:
    """Where every labelled box is found and no other, all three figures are 1."""
    figures = one([labelled(A, B), labelled()], [found((A, 0.9), (B, 0.5)), found()])
    assert (figures.ap50, figures.precision, figures.recall) == pytest.approx((1.0, 1.0, 1.0))
    assert (figures.labelled, figures.found) == (2, 2)


def test_average_precision_is_the_area_under_the_curve() -> None:
    """A wrong box between two right ones, one thing missed: precision is 1 up to recall 1/3, 2/3 up to 2/3, then 0."""
    figures = one([labelled(A, B, C)], [found((A, 0.9), ((300, 0, 340, 40), 0.8), (B, 0.7))])
    # COCO reads precision at 101 recalls, 0 to 1: 34 of them up to 0.33, 33 up to 0.66, 34 beyond.
    assert figures.ap50 == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert (figures.precision, figures.recall) == pytest.approx((2 / 3, 2 / 3))
    assert (figures.labelled, figures.found) == (3, 3)


def test_the_score_asked_for_cuts_precision_and_recall_alone() -> None:
    """Boxes below min_score do not count for precision and recall; AP50 takes them all."""
    truth, boxes = [labelled(A, B)], [found((A, 0.9), (B, 0.2), (C, 0.1))]
    every, drawn = one(truth, boxes), one(truth, boxes, min_score=0.5)
    assert drawn.ap50 == every.ap50 == pytest.approx(1.0)
    assert (every.precision, every.recall, every.found) == pytest.approx((2 / 3, 1.0, 3))
    assert (drawn.precision, drawn.recall, drawn.found) == (1.0, 0.5, 1)


@pytest.mark.parametrize(("shift", "right"), [(13.0, True), (14.0, False)])
def test_half_an_iou_decides(shift: float, right: bool) -> None:
    """A box of 40 pixels moved by 13 has an IoU of 27/53 and is right; moved by 14 it has 26/54 and is not."""
    moved = (shift, 0.0, 40.0 + shift, 40.0)
    assert one([labelled(A)], [found((moved, 0.9))]).recall == float(right)


def test_a_thing_is_found_once() -> None:
    """Of two boxes on one thing the better scored is right, and the other wrong."""
    figures = one([labelled(A)], [found((A, 0.6), ((1, 1, 41, 41), 0.9))])
    assert (figures.ap50, figures.precision, figures.recall) == pytest.approx((1.0, 0.5, 1.0))


def test_what_is_ignored_counts_neither_way() -> None:
    """An ignored thing is not missed, and any number of boxes on it are not wrong."""
    truth = [labelled(A, B, ignored=[False, True])]
    nothing_there = one(truth, [found((A, 0.9))])
    twice_there = one(truth, [found((A, 0.9), (B, 0.8), ((101, 1, 139, 39), 0.7))])
    assert nothing_there == twice_there
    assert (twice_there.ap50, twice_there.precision, twice_there.recall) == pytest.approx((1.0, 1.0, 1.0))
    assert (twice_there.labelled, twice_there.found) == (1, 1)


def test_classes_are_judged_apart() -> None:
    """A box of another class is wrong in its own class, and finds nothing in the other."""
    figures = measure(
        [labelled(A, B, classes=[0, 1])], [found((A, 0.9), (B, 0.8), classes=[1, 1])], ["string", "defect"]
    )
    assert (figures["string"].ap50, figures["string"].recall, figures["string"].found) == (0.0, 0.0, 0)
    assert (figures["defect"].precision, figures["defect"].recall) == (0.5, 1.0)


def test_pictures_are_judged_apart() -> None:
    """A box in another picture finds nothing."""
    figures = one([labelled(A), labelled()], [found(), found((A, 0.9))])
    assert (figures.ap50, figures.precision, figures.recall) == (0.0, 0.0, 0.0)


def test_what_cannot_be_said_is_nan() -> None:
    """Without labels there is neither AP50 nor recall, without boxes no precision."""
    unlabelled = one([labelled()], [found((A, 0.9))])
    assert math.isnan(unlabelled.ap50)
    assert math.isnan(unlabelled.recall)
    assert unlabelled.precision == 0.0
    unfound = one([labelled(A)], [found()])
    assert (unfound.ap50, unfound.recall) == (0.0, 0.0)
    assert math.isnan(unfound.precision)
    empty = one([], [])
    assert (empty.labelled, empty.found) == (0, 0)
    assert math.isnan(empty.ap50)


def test_pictures_and_answers_go_together() -> None:
    """As many pictures must be labelled as were looked at."""
    with pytest.raises(ValueError, match="1 pictures are labelled and 0 were looked at"):
        one([labelled(A)], [])


def test_pycocotools_is_loaded_when_something_is_judged() -> None:
    """Importing the module loads neither pycocotools nor TensorFlow, so that the service needs neither."""
    script = (
        "import sys, serving.accuracy, streamer.evaluate.evaluation;"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(('pycocotools', 'tensorflow'))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
