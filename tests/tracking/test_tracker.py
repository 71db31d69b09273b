"""streamer.tracking.tracker: which box is which, and where each is between two samples."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.tracker import MAX_HISTORY, Tracker, overlap
from streamer.values.track import boxes_of
from tests.peers.frames import make_detections

Box = tuple[float, float, float, float]


def moved(box: Box, x: float, y: float = 0.0) -> Box:
    """The box, somewhere else."""
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def boxes_at(tracker: Tracker, pts: float) -> list[Box]:
    """Where things are, in order of their ids."""
    return [found.box for found in sorted(tracker.at(pts), key=lambda found: found.tracker_id)]


HERE: Box = (10.0, 10.0, 30.0, 40.0)
FAR: Box = (200.0, 100.0, 240.0, 180.0)


def test_a_sampled_frame_shows_exactly_the_models_boxes() -> None:
    """On every sampled frame the boxes, scores and labels are the model's own, to the last bit."""
    dice = random.Random(2)
    tracker = Tracker()
    x, answers = 0.0, []
    for index in range(MAX_HISTORY):
        x += dice.uniform(0, 8)
        boxes = [(dice.random() ** 9, x / 3, 30 + x * 1.37, 40 + x / 7), moved(FAR, -x * 0.71, x)]
        answers.append(make_detections(index * 0.2, boxes, class_ids=[1, 2], scores=[dice.random(), dice.random()]))
        tracker.update(answers[-1])
    for answer in answers:
        found = sorted(tracker.at(answer.pts), key=lambda box: box.class_id)
        np.testing.assert_array_equal([box.box for box in found], answer.boxes)
        assert [(box.label, box.class_id) for box in found] == [("class 1", 1), ("class 2", 2)]
        assert [box.score for box in found] == [float(score) for score in answer.scores]


def test_samples_of_one_millisecond_are_each_the_models() -> None:
    """However close two samples are, each frame has its own boxes, and what moved between them does not fly away."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.0005, [moved(HERE, 3)]))
    assert boxes_at(tracker, 1.0) == [HERE]
    assert boxes_at(tracker, 1.0005) == [moved(HERE, 3)]


def test_boxes_move_linearly_between_samples() -> None:
    """Between two samples a box is on the straight line between where the model saw it."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.2, [moved(HERE, 8, 4)]))
    for part in (0.1, 0.25, 0.5, 0.9):
        assert boxes_at(tracker, 1.0 + 0.2 * part) == [pytest.approx(moved(HERE, 8 * part, 4 * part), abs=1e-4)]


def test_boxes_move_on_after_the_last_sample_for_a_while() -> None:
    """After the last sample a box moves on as it did, for one and a half sampling intervals, and is gone then."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.2, [moved(HERE, 8)]))
    assert boxes_at(tracker, 1.4) == [pytest.approx(moved(HERE, 16), abs=1e-4)]
    assert boxes_at(tracker, 1.49) == [pytest.approx(moved(HERE, 19.6), abs=1e-3)]
    assert boxes_at(tracker, 1.51) == []


def test_a_thing_seen_once_stays_where_it_is() -> None:
    """A box of one sample stands still, and is gone after three quarters of a second when no sample follows."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    assert boxes_at(tracker, 1.7) == [HERE]
    assert boxes_at(tracker, 1.8) == []


def test_nothing_is_drawn_before_it_was_seen() -> None:
    """A thing that a sample shows first is not drawn on frames before that sample."""
    tracker = Tracker()
    assert tracker.at(0.9) == []
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.2, [HERE, FAR]))
    assert boxes_at(tracker, 0.9) == []
    assert boxes_at(tracker, 1.1) == [HERE]
    assert boxes_at(tracker, 1.2) == [HERE, FAR]


def test_what_the_last_sample_lacks_is_not_drawn() -> None:
    """A thing is drawn up to the sample that does not show it any more, and not from there on."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE, FAR]))
    tracker.update(make_detections(1.2, [HERE]))
    assert boxes_at(tracker, 1.1) == [HERE, FAR]
    assert boxes_at(tracker, 1.2) == [HERE]
    assert boxes_at(tracker, 1.3) == [HERE]
    tracker.update(make_detections(1.4, []))
    assert boxes_at(tracker, 1.45) == []


def test_a_thing_missed_once_keeps_its_id() -> None:
    """A thing that one sample missed is the same thing when the next shows it, and is not drawn in between."""
    tracker = Tracker()
    ids = []
    for pts, boxes in ((1.0, [HERE]), (1.2, [moved(HERE, 2)]), (1.4, list[Box]()), (1.6, [moved(HERE, 6)])):
        tracker.update(make_detections(pts, boxes))
        ids.append([box.tracker_id for box in tracker.at(pts)])
    assert ids == [[1], [1], [], [1]]
    assert boxes_at(tracker, 1.5) == []


def test_things_that_pass_each_other_keep_their_ids() -> None:
    """Two things of one class that pass each other keep their ids, since each is looked for where it was heading."""
    tracker, first = Tracker(), dict[int, float]()
    for index in range(21):
        left, right = moved(HERE, 10 * index), moved(HERE, 200 - 10 * index, 12)
        tracker.update(make_detections(index * 0.2, [left, right] if index % 2 else [right, left]))
        if index == 1:
            first = {box.tracker_id: box.box[1] for box in tracker.at(0.2)}
    assert {box.tracker_id: box.box[1] for box in tracker.at(4.0)} == pytest.approx(first)


def test_classes_are_never_mixed() -> None:
    """A box of another class in the same place is another thing."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE], class_ids=[1]))
    tracker.update(make_detections(1.2, [HERE], class_ids=[2]))
    (found,) = tracker.at(1.2)
    assert (found.class_id, found.label) == (2, "class 2")
    assert [box.class_id for box in tracker.at(1.1)] == [1]


def test_labels_are_the_newest_models_words() -> None:
    """From the first frame that a new model answered on, a thing in view is called what that one calls it."""
    tracker = Tracker()
    for pts in (1.0, 1.2):
        tracker.update(make_detections(pts, [HERE], class_ids=[1]))
    renamed = replace(make_detections(1.4, [HERE], class_ids=[1]), version=2, labels=("pin",))
    tracker.update(renamed)
    assert [box.label for box in tracker.at(1.3)] == ["class 1"]
    for pts in (1.4, 1.5, 1.6):
        assert [box.label for box in tracker.at(pts)] == ["pin"]


def test_a_thing_keeps_its_id_where_only_its_number_changed() -> None:
    """A model that calls a thing the same by another class id follows the same thing, with the newest id."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE], class_ids=[1]))
    tracker.update(replace(make_detections(1.2, [moved(HERE, 2)], class_ids=[9]), labels=("class 1",)))
    assert [(box.tracker_id, box.class_id, box.label) for box in tracker.at(1.0)] == [(1, 1, "class 1")]
    assert [(box.tracker_id, box.class_id, box.label) for box in tracker.at(1.2)] == [(1, 9, "class 1")]
    assert boxes_at(tracker, 1.1) == [pytest.approx(moved(HERE, 1), abs=1e-4)]


def test_an_answer_that_comes_late_is_ignored() -> None:
    """An answer older than one taken already, or of the same frame, changes nothing."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.4, [moved(HERE, 4)]))
    before = [boxes_at(tracker, pts) for pts in (1.0, 1.2, 1.4, 1.5)]
    tracker.update(make_detections(1.2, [FAR]))
    tracker.update(make_detections(1.4, [FAR]))
    assert [boxes_at(tracker, pts) for pts in (1.0, 1.2, 1.4, 1.5)] == before


def test_clearing_forgets_everything() -> None:
    """After clearing nothing is drawn, a stream may begin at 0 again, and no id is used twice."""
    tracker = Tracker()
    tracker.update(make_detections(100.0, [HERE]))
    tracker.clear()
    assert tracker.at(100.0) == []
    tracker.update(make_detections(0.2, [HERE]))
    assert [box.tracker_id for box in tracker.at(0.2)] == [2]


def test_memory_is_bounded() -> None:
    """A stream that shows a hundred new things in every sample keeps only the newest samples' ones."""
    dice = np.random.default_rng(4)
    tracker = Tracker()
    for index in range(40):
        corners = dice.uniform(0, 10_000, (100, 2))
        tracker.update(make_detections(index / 5, np.hstack([corners, corners + 5]).tolist()))
        assert len(tracker._tracks) <= 100 * MAX_HISTORY
        assert all(len(track.points) <= MAX_HISTORY for track in tracker._tracks)


EDGES = st.tuples(st.floats(-50, 700, width=32), st.floats(-50, 500, width=32)).flatmap(
    lambda low: st.tuples(
        st.just(low[0]),
        st.just(low[1]),
        st.floats(low[0], 750, width=32),
        st.floats(low[1], 550, width=32),
    )
)
THINGS = st.lists(st.tuples(EDGES, st.integers(1, 3), st.floats(0, 1, width=32)), max_size=6)
Thing = tuple[Box, int, float]
SAMPLES = st.lists(st.tuples(st.floats(0.001, 3), THINGS), min_size=1, max_size=12)


@given(SAMPLES, st.lists(st.floats(-1, 2), max_size=4))
def test_whatever_the_model_says(samples: list[tuple[float, list[Thing]]], around: list[float]) -> None:
    """On a sampled frame there is exactly what the model said of it, each thing with an id of its own.

    No id is given twice, none stands for two labels, and what is remembered is bounded.
    """
    tracker, pts = Tracker(), 0.0
    label_of: dict[int, str] = {}
    newest = 0
    for step, things in samples:
        pts += step
        boxes, class_ids, scores = zip(*things, strict=True) if things else ((), (), ())
        tracker.update(make_detections(pts, boxes, class_ids=class_ids, scores=scores))
        found = tracker.at(pts)
        said = [(box, f"class {class_id}", class_id, score) for box, class_id, score in things]
        assert sorted((each.box, each.label, each.class_id, each.score) for each in found) == sorted(said)
        ids = {each.tracker_id for each in found}
        assert len(ids) == len(found)
        fresh = ids - label_of.keys()
        assert not fresh or min(fresh) > newest
        newest = max(newest, *ids) if ids else newest
        for each in found + [each for shift in around for each in tracker.at(pts + shift)]:
            assert label_of.setdefault(each.tracker_id, each.label) == each.label
            assert np.isfinite(each.box).all()
        assert len(tracker._tracks) <= 6 * MAX_HISTORY
        assert all(len(track.points) <= MAX_HISTORY for track in tracker._tracks)


def test_every_row_is_drawn_once() -> None:
    """Identical boxes are as many things as the model says, sample after sample."""
    tracker = Tracker()
    for index in range(5):
        tracker.update(make_detections(index / 5, [HERE] * 3))
        assert boxes_at(tracker, index / 5) == [HERE] * 3
    assert len({box.tracker_id for box in tracker.at(0.8)}) == 3


def test_an_answers_own_boxes_have_no_id() -> None:
    """The boxes of one answer alone are exactly its own, and followed by nobody."""
    answer = make_detections(1.0, [HERE, FAR], class_ids=[3, 1], scores=[0.75, 0.5])
    assert [(box.tracker_id, box.box, box.label, box.class_id, box.score) for box in boxes_of(answer)] == [
        (0, HERE, "class 3", 3, 0.75),
        (0, FAR, "class 1", 1, 0.5),
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (0, 0, 5, 5), 0.25),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (20, 20, 30, 30), 0.0),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),
        ((0, 0, 10, 10), (3, 3, 3, 8), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(one: Box, other: Box, expected: float) -> None:
    """Overlap is shared area over common area, symmetric, and 0 for boxes without area."""
    for first, second in ((one, other), (other, one)):
        found = overlap(np.asarray(first, np.float32), [second])
        assert found == pytest.approx([expected])


def test_overlap_of_random_boxes_is_what_counting_pixels_gives() -> None:
    """Boxes on whole pixels overlap as their pixels do."""
    dice = np.random.default_rng(8)
    corners = np.sort(dice.integers(0, 24, (60, 2, 2)), axis=1)
    boxes = corners.reshape(60, 4).astype(np.float32)
    pixels = np.zeros((60, 24, 24), bool)
    for mask, (x0, y0, x1, y1) in zip(pixels, boxes.astype(int), strict=True):
        mask[y0:y1, x0:x1] = True
    for mask, box in zip(pixels, boxes, strict=True):
        shared = (mask & pixels).sum(axis=(1, 2))
        union = (mask | pixels).sum(axis=(1, 2))
        np.testing.assert_allclose(overlap(box, boxes), shared / np.maximum(union, 1), atol=1e-6)
