"""Which rows of an answer continue which tracks: greedily, best overlap first, in stages from sure to unsure. Pure.

An optimal assignment (Hungarian) gives the same ids to a thousandth, and asks for more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.tracking.similarity import Boxes

OVERLAP: Final = 0.2
"""Intersection over union from which on two boxes of one label are the same thing."""
WIDER: Final = 0.3
"""Of its sides, added to each end of boxes that are compared once more: things meet where they moved apart
(Yang et al., C-BIoU, 2023)."""
FAINT_OVERLAP: Final = 0.3
"""From which on a faint row continues a track."""
FAINT_HITS: Final = 2
"""Matches that a track must have had before a faint row may continue it."""
OTHER_LABEL: Final = 0.7
"""From which on a row is a thing the model called something else before, where nothing of its label is there."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Boxes with labels: an answer's rows, or where tracks are expected."""

    boxes: Boxes
    labels: Sequence[str]
    """N of them."""


Pairs = dict[int, int]
"""Row of the answer: number of the track."""


def match(tracks: Rows, hits: NDArray[np.int64], strong: Rows, faint: Rows) -> tuple[Pairs, Pairs]:
    """Which strong and which faint rows continue which tracks, each at most once.

    Args:
        tracks: where they are expected in the answer's picture.
        hits: [N] how often each was matched.
        strong: rows from the stream's score on.
        faint: rows below it.
    """
    pairs: Pairs = {}
    free = np.ones(len(tracks.boxes), bool)
    overlaps, same = overlap(tracks.boxes, strong.boxes), _same(tracks.labels, strong.labels)
    _pair(np.where(same, overlaps, 0.0), OVERLAP, free, pairs)
    if free.any() and len(pairs) < len(strong.boxes):
        wider = overlap(_widened(tracks.boxes), _widened(strong.boxes))
        _pair(np.where(same, wider, 0.0), OVERLAP, free, pairs)
        _pair(overlaps, OTHER_LABEL, free, pairs)
    faintly: Pairs = {}
    if free.any() and len(faint.boxes):
        known = free & (hits >= FAINT_HITS)
        fainter = np.where(_same(tracks.labels, faint.labels), overlap(tracks.boxes, faint.boxes), 0.0)
        _pair(fainter, FAINT_OVERLAP, known, faintly)
    return pairs, faintly


def overlap(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """[N, M]: intersection over union of each box with each other."""
    # One axis after the other: arrays of [N, M, 2] cost a hundred boxes four times as much.
    shared = _common(boxes, others, 0) * _common(boxes, others, 1)
    areas = np.add.outer(boxes[:, 2] * boxes[:, 3], others[:, 2] * others[:, 3])
    return np.asarray(shared / np.maximum(areas - shared, 1e-9))


def _common(boxes: Boxes, others: Boxes, axis: int) -> NDArray[np.float64]:
    """[N, M]: pixels that two boxes share along an axis."""
    low, high = boxes[:, axis] - boxes[:, axis + 2] / 2, boxes[:, axis] + boxes[:, axis + 2] / 2
    other_low, other_high = others[:, axis] - others[:, axis + 2] / 2, others[:, axis] + others[:, axis + 2] / 2
    return np.asarray(np.maximum(np.minimum.outer(high, other_high) - np.maximum.outer(low, other_low), 0.0))


def _same(labels: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """[N, M]: whether two are called the same."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys([*labels, *others]))}
    one, two = ([numbers[label] for label in each] for each in (labels, others))
    return np.asarray(np.equal.outer(np.array(one, np.intp), np.array(two, np.intp)))


def _widened(boxes: Boxes) -> Boxes:
    return np.asarray(boxes * np.array([1.0, 1.0, 1 + 2 * WIDER, 1 + 2 * WIDER]))


def _pair(overlaps: NDArray[np.float64], least: float, free: NDArray[np.bool_], pairs: Pairs) -> None:
    """Join free tracks and rows that are not in `pairs`, the best overlap first; both are changed."""
    tracks, rows = np.nonzero((overlaps >= least) & free[:, np.newaxis])
    # Stable, so that of equal ones the older track and the better scored row come first, whatever numpy's sort does.
    order = np.argsort(-overlaps[tracks, rows], kind="stable")
    for track, row in zip(tracks[order].tolist(), rows[order].tolist(), strict=True):
        if free[track] and row not in pairs:
            pairs[row] = track
            free[track] = False
