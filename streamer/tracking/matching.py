"""Which rows of an answer continue which tracks: greedily, best overlap first, in stages from sure to unsure. Pure.

An optimal assignment (Hungarian) gives the same ids to a thousandth, and asks for more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.tracking.moment import centred
from streamer.tracking.similarity import Boxes
from streamer.values.detections import Detections

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


def rows_of(answer: Detections | None) -> Rows:
    """What a model said; None: nothing."""
    if answer is None:
        return Rows(np.zeros((0, 4)), ())
    return Rows(centred(answer.boxes.astype(np.float64)), answer.labels)


@dataclass(frozen=True, slots=True)
class Overlaps:
    """P pairs of a track and a row whose boxes overlap, by track and then by row."""

    tracks: NDArray[np.intp]
    rows: NDArray[np.intp]
    shares: NDArray[np.float64]
    """Intersection over union."""

    def where(self, wanted: NDArray[np.bool_]) -> "Overlaps":
        """Those of them."""
        return Overlaps(self.tracks[wanted], self.rows[wanted], self.shares[wanted])


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
    expected, said, half_said = _numbered(tracks.labels, strong.labels, faint.labels)
    near = overlapping(tracks.boxes, strong.boxes)
    _pair(near.where(expected[near.tracks] == said[near.rows]), OVERLAP, free, pairs)
    if free.any() and len(pairs) < len(strong.boxes):
        wider = overlapping(_widened(tracks.boxes), _widened(strong.boxes))
        _pair(wider.where(expected[wider.tracks] == said[wider.rows]), OVERLAP, free, pairs)
        _pair(near, OTHER_LABEL, free, pairs)
    faintly: Pairs = {}
    if free.any() and len(faint.boxes):
        known = free & (hits >= FAINT_HITS)
        fainter = overlapping(tracks.boxes, faint.boxes)
        _pair(fainter.where(expected[fainter.tracks] == half_said[fainter.rows]), FAINT_OVERLAP, known, faintly)
    return pairs, faintly


def overlapping(boxes: Boxes, others: Boxes) -> Overlaps:
    """What of the one overlaps what of the others, and by how much."""
    # Of all pairs only whether they touch is asked, one axis after the other: few of a hundred boxes touch each other.
    (low, high), (other_low, other_high) = _ends(boxes), _ends(others)
    touching = np.ones((len(boxes), len(others)), bool)
    for axis in (0, 1):
        touching &= np.greater.outer(high[axis], other_low[axis])
        touching &= np.less.outer(low[axis], other_high[axis])
    # In one row: numpy finds them ten times as fast there as in a table.
    one, two = np.divmod(touching.ravel().nonzero()[0], max(1, len(others)))
    ends = np.minimum(high.take(one, 1), other_high.take(two, 1))
    sides = ends - np.maximum(low.take(one, 1), other_low.take(two, 1))
    shared = sides[0] * sides[1]
    areas = (boxes[:, 2] * boxes[:, 3])[one] + (others[:, 2] * others[:, 3])[two]
    return Overlaps(one, two, shared / np.maximum(areas - shared, 1e-9))


def _ends(boxes: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[2, N] each: where boxes begin and end, along x and along y."""
    columns = np.ascontiguousarray(boxes.T)
    middle, half = columns[:2], columns[2:] / 2
    return middle - half, middle + half


def _numbered(*groups: Sequence[str]) -> list[NDArray[np.intp]]:
    """Labels as numbers, the same for the same in all groups."""
    numbers = {label: number for number, label in enumerate({label for group in groups for label in group})}
    return [np.fromiter(map(numbers.__getitem__, group), np.intp, len(group)) for group in groups]


def _widened(boxes: Boxes) -> Boxes:
    return np.asarray(boxes * np.array([1.0, 1.0, 1 + 2 * WIDER, 1 + 2 * WIDER]))


def _pair(overlaps: Overlaps, least: float, free: NDArray[np.bool_], pairs: Pairs) -> None:
    """Join free tracks and rows that are not in `pairs`, the best overlap first; both are changed."""
    left = overlaps.where((overlaps.shares >= least) & free[overlaps.tracks])
    # Stable, so that of equal ones the older track and the better scored row come first, whatever numpy's sort does.
    order = np.argsort(-left.shares, kind="stable")
    taken: set[int] = set()
    for track, row in zip(left.tracks[order].tolist(), left.rows[order].tolist(), strict=True):
        if track not in taken and row not in pairs:
            pairs[row] = track
            taken.add(track)
    free[list(taken)] = False
