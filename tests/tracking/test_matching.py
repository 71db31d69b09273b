"""streamer.tracking.matching: which rows of an answer continue which tracks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.tracking.matching import FAINT_HITS, OTHER_LABEL, OVERLAP, Rows, match, overlapping
from streamer.tracking.similarity import Boxes

Box = tuple[float, float, float, float]
"""Centre x, centre y, width, height."""
HERE: Box = (100, 100, 40, 40)


def rows(*boxes: Box, labels: str = "") -> Rows:
    """Boxes with one letter each as label."""
    return Rows(np.array(boxes, np.float64).reshape(-1, 4), list(labels or "a" * len(boxes)))


def shifted(x: float, box: Box = HERE) -> Box:
    """The box, further right."""
    return (box[0] + x, *box[1:])


def hits(*counts: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How often each track was matched."""
    return np.array(counts, np.int64)


NOTHING = rows()


def overlap(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """[N, M]: intersection over union of each box with each other, 0 for those that are not told to overlap."""
    found, shares = overlapping(boxes, others), np.zeros((len(boxes), len(others)))
    shares[found.tracks, found.rows] = found.shares
    assert len({*zip(found.tracks.tolist(), found.rows.tolist(), strict=True)}) == len(found.shares)
    return shares


def test_the_best_overlap_comes_first() -> None:
    """Of two rows the nearer one continues a track, whatever their scores, and the other continues the other."""
    pairs, _ = match(rows(HERE, shifted(30)), hits(9, 9), rows(shifted(25), shifted(2)), NOTHING)
    assert pairs == {1: 0, 0: 1}


def test_labels_are_not_mixed() -> None:
    """A row of another label is not the track, when both of the same label are there, or it overlaps by halves."""
    pairs, _ = match(rows(HERE, HERE, labels="ab"), hits(9, 9), rows(HERE, HERE, labels="ba"), NOTHING)
    assert pairs == {0: 1, 1: 0}
    assert match(rows(HERE), hits(9), rows(shifted(12), labels="b"), NOTHING)[0] == {}


def test_a_thing_called_otherwise_for_once_is_the_same() -> None:
    """A row of another label in the very place of a track that nothing else continues is that thing."""
    assert overlap(rows(HERE).boxes, rows(shifted(4)).boxes)[0, 0] > OTHER_LABEL
    assert match(rows(HERE), hits(1), rows(shifted(4), labels="b"), NOTHING)[0] == {0: 0}


def test_things_meet_where_they_moved_apart() -> None:
    """Boxes that hardly touch are compared once more, wider, when nothing nearer is left."""
    assert overlap(rows(HERE).boxes, rows(shifted(39)).boxes)[0, 0] < OVERLAP
    assert match(rows(HERE), hits(1), rows(shifted(39)), NOTHING)[0] == {0: 0}
    assert match(rows(HERE), hits(1), rows(shifted(39), HERE), NOTHING)[0] == {1: 0}
    assert match(rows(HERE), hits(1), rows(shifted(60)), NOTHING)[0] == {}


def test_faint_rows_continue_what_is_known() -> None:
    """A faint row continues a track that was found before and that no strong row continues; it takes none from one."""
    assert match(rows(HERE), hits(FAINT_HITS), NOTHING, rows(shifted(5))) == ({}, {0: 0})
    assert match(rows(HERE), hits(FAINT_HITS - 1), NOTHING, rows(shifted(5))) == ({}, {})
    assert match(rows(HERE), hits(9), rows(shifted(20)), rows(HERE)) == ({0: 0}, {})
    assert match(rows(HERE), hits(9), NOTHING, rows(HERE, labels="b")) == ({}, {})
    assert match(rows(HERE), hits(9), NOTHING, rows(shifted(25))) == ({}, {})


def test_of_nothing_comes_nothing() -> None:
    """No tracks, or no rows, are no pairs."""
    assert match(NOTHING, hits(), rows(HERE), rows(HERE)) == ({}, {})
    assert match(rows(HERE), hits(3), NOTHING, NOTHING) == ({}, {})


BOXES = st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(1, 100), st.floats(1, 100))
GROUPS = st.lists(st.tuples(BOXES, st.sampled_from("ab")), max_size=8).map(
    lambda drawn: rows(*(box for box, _ in drawn), labels="".join(label for _, label in drawn))
)


@given(GROUPS, GROUPS, GROUPS, st.integers(0, 5))
def test_whatever_comes_nothing_is_taken_twice(tracks: Rows, strong: Rows, faint: Rows, count: int) -> None:
    """No row continues two tracks, no track is continued twice, and the order of pairs within a label is by overlap."""
    pairs, faintly = match(tracks, hits(*[count] * len(tracks.boxes)), strong, faint)
    taken = [*pairs.values(), *faintly.values()]
    assert len(taken) == len(set(taken))
    assert all(row < len(strong.boxes) for row in pairs)
    assert all(tracks.labels[track] == faint.labels[row] for row, track in faintly.items())
    overlaps = overlap(tracks.boxes, strong.boxes)
    same = [pair for pair in pairs.items() if tracks.labels[pair[1]] == strong.labels[pair[0]]]
    found = [value for row, track in same if (value := overlaps[track, row]) >= OVERLAP]
    assert all(one >= other for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((5, 5, 10, 10), (5, 5, 10, 10), 1.0),
        ((5, 5, 10, 10), (10, 5, 10, 10), 1 / 3),
        ((5, 5, 10, 10), (2.5, 2.5, 5, 5), 0.25),
        ((5, 5, 10, 10), (15, 5, 10, 10), 0.0),
        ((5, 5, 10, 10), (25, 25, 10, 10), 0.0),
        ((5, 5, 0, 0), (5, 5, 0, 0), 0.0),
        ((5, 5, 10, 10), (3, 5, 0, 5), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(one: Box, other: Box, expected: float) -> None:
    """Overlap is shared area over common area, symmetric, and 0 for boxes without area."""
    for first, second in ((one, other), (other, one)):
        assert overlap(rows(first).boxes, rows(second).boxes) == pytest.approx(np.array([[expected]]))


def test_overlap_of_random_boxes_is_what_counting_pixels_gives() -> None:
    """Boxes on whole pixels overlap as their pixels do."""
    dice = np.random.default_rng(8)
    corners = np.sort(dice.integers(0, 24, (60, 2, 2)), axis=1).astype(np.float64)
    boxes = np.concatenate([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)
    pixels = np.zeros((60, 24, 24), bool)
    for mask, ((x0, y0), (x1, y1)) in zip(pixels, corners.astype(int), strict=True):
        mask[y0:y1, x0:x1] = True
    shared = (pixels[:, np.newaxis] & pixels).sum(axis=(2, 3))
    union = (pixels[:, np.newaxis] | pixels).sum(axis=(2, 3))
    np.testing.assert_allclose(overlap(boxes, boxes), shared / np.maximum(union, 1), atol=1e-6)
