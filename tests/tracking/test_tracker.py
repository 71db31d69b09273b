"""streamer.tracking.tracker: which box is which, and where each is between two samples."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.tracking.camera_path import STANDS, CameraPath
from streamer.tracking.history import COAST, LONE_INTERVAL, MOST, REACH, STEADY
from streamer.tracking.similarity import Similarity
from streamer.tracking.track import SCORES
from streamer.tracking.tracker import GAP, MOST_TRACKS, Tracker
from streamer.values.detections import Detections
from streamer.values.track import boxes_of
from tests.peers.frames import make_detections

Box = tuple[float, float, float, float]
SIZE = (1280, 720)
FPS = 25


def moved(box: Box, x: float, y: float = 0.0) -> Box:
    """The box, somewhere else."""
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def answer(pts: float, *boxes: Box, faint: tuple[Box, ...] = (), score: float = 0.9) -> Detections:
    """What the model said of a frame of 720p, strongly and faintly."""
    half_seen = make_detections(pts, faint, size=SIZE, scores=[0.35] * len(faint))
    return replace(make_detections(pts, boxes, size=SIZE, scores=[score] * len(boxes)), faint=half_seen)


def boxes_at(tracker: Tracker, pts: float) -> list[Box]:
    """Where things are, in order of their ids."""
    return [found.box for found in sorted(tracker.at(pts), key=lambda found: found.tracker_id)]


def ids_at(tracker: Tracker, pts: float) -> list[int]:
    """Which things are there."""
    return sorted(found.tracker_id for found in tracker.at(pts))


def flying(step: Similarity, count: int, *, fps: float = FPS, cuts: tuple[int, ...] = ()) -> CameraPath:
    """A camera that makes the same step from each frame to the next, and cuts to another scene at some."""
    path = CameraPath()
    for number in range(count):
        path.add(number / fps, None if number == 0 or number in cuts else step)
    return path


HERE: Box = (10.0, 10.0, 30.0, 40.0)
FAR: Box = (200.0, 100.0, 240.0, 180.0)


def test_a_sampled_frame_shows_exactly_the_models_boxes() -> None:
    """On every sampled frame the boxes, scores and labels are the model's own, to the last bit."""
    dice = random.Random(2)
    tracker = Tracker(flying(Similarity(1.001, 0.4 + 0.3j), 60))
    x, answers = 0.0, []
    for index in range(5):
        x += dice.uniform(0, 8)
        boxes = [(dice.random() ** 9, x / 3, 30 + x * 1.37, 40 + x / 7), moved(FAR, -x * 0.71, x)]
        answers.append(make_detections(index * 0.2, boxes, class_ids=[1, 2], scores=[dice.random(), dice.random()]))
        tracker.update(answers[-1])
    for said in answers:
        found = sorted(tracker.at(said.pts), key=lambda box: box.class_id)
        np.testing.assert_array_equal([box.box for box in found], said.boxes)
        assert [(box.label, box.class_id) for box in found] == [("class 1", 1), ("class 2", 2)]
        assert [box.score for box in found] == [float(score) for score in said.scores]


def test_samples_of_one_millisecond_are_each_the_models() -> None:
    """However close two samples are, each frame has its own boxes, and what moved between them does not fly away."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.0005, [moved(HERE, 3)]))
    assert boxes_at(tracker, 1.0) == [HERE]
    assert boxes_at(tracker, 1.0005) == [moved(HERE, 3)]


def test_boxes_move_linearly_between_samples() -> None:
    """Between two samples, the camera standing, a box is on the straight line between where the model saw it."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.2, [moved(HERE, 8, 4)]))
    for part in (0.1, 0.25, 0.5, 0.9):
        assert boxes_at(tracker, 1.0 + 0.2 * part) == [pytest.approx(moved(HERE, 8 * part, 4 * part), abs=1e-4)]


def test_boxes_move_with_the_camera() -> None:
    """Things that stand are carried by the camera's motion alone, before the next sample is known as after it."""
    step = Similarity(1 + 0.002j, -9 + 4j)
    tracker, place = Tracker(flying(step, 40)), complex(700, 300)
    tracker.update(answer(0.0, (680, 280, 720, 320)))
    for number in range(1, 10):
        place = step.point(place)
        if number == 6:
            tracker.update(answer(10 / FPS))  # the sample after the frames looked at: what it lacks was there till then
        ((x_min, y_min, x_max, y_max),) = boxes_at(tracker, number / FPS)
        assert complex(x_min + x_max, y_min + y_max) / 2 == pytest.approx(place, abs=1e-6)


def test_boxes_move_on_as_they_did() -> None:
    """What moves steadily is ahead of where it was seen last, by about what it moves."""
    tracker = Tracker()
    for number in range(8):
        tracker.update(answer(number / 5, moved(FAR, 20 * number, 10 * number)))
    for part in (0.25, 0.5, 1.0):
        (found,) = boxes_at(tracker, (7 + part) / 5)
        assert found == pytest.approx(moved(FAR, 20 * (7 + part), 10 * (7 + part)), abs=3)


def test_boxes_glide() -> None:
    """From one frame to the next no box jumps, though the model's boxes on the samples do."""
    tracker, dice = Tracker(), np.random.default_rng(3)
    for number in range(6):
        tracker.update(answer(number / 5, moved(FAR, float(dice.normal(0, 6)), float(dice.normal(0, 6)))))
    way = np.array([boxes_at(tracker, 1.0 + step / 100)[0] for step in range(21)])
    assert np.abs(np.diff(way, axis=0)).max() < 1.5


def test_where_no_sample_follows_boxes_end() -> None:
    """Where the model answers no more, boxes stay for one and a half sample intervals and a little, and then none."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE]))
    assert boxes_at(tracker, 1.0 + REACH * LONE_INTERVAL + COAST - 0.01) == [HERE]
    assert boxes_at(tracker, 1.0 + REACH * LONE_INTERVAL + COAST + 0.01) == []
    tracker.update(make_detections(1.2, [HERE]))
    assert len(boxes_at(tracker, 1.2 + REACH * 0.2 + COAST - 0.01)) == 1
    assert boxes_at(tracker, 1.2 + REACH * 0.2 + COAST + 0.01) == []


def test_nothing_is_drawn_before_it_was_seen() -> None:
    """A thing that a sample shows first is not drawn on frames before that sample."""
    tracker = Tracker()
    assert tracker.at(0.9) == []
    tracker.update(make_detections(1.0, [HERE]))
    tracker.update(make_detections(1.2, [HERE, FAR]))
    assert boxes_at(tracker, 0.9) == []
    assert boxes_at(tracker, 1.1) == [HERE]
    assert boxes_at(tracker, 1.2) == [HERE, FAR]


def test_what_is_hardly_known_is_not_drawn_where_it_was_missed() -> None:
    """A thing that few samples found is drawn up to the sample that shows it no more, and not from there on."""
    tracker = Tracker()
    tracker.update(make_detections(1.0, [HERE, FAR]))
    tracker.update(make_detections(1.2, [HERE]))
    assert boxes_at(tracker, 1.1) == [HERE, FAR]
    assert boxes_at(tracker, 1.2) == [HERE]
    assert boxes_at(tracker, 1.3) == [HERE]
    tracker.update(make_detections(1.4, []))
    assert boxes_at(tracker, 1.45) == []


def test_what_is_known_outlives_a_miss() -> None:
    """A thing that several samples found is drawn for a moment longer when one misses it."""
    tracker = Tracker()
    for number in range(STEADY):
        tracker.update(answer(number / 5, HERE))
    last = (STEADY - 1) / 5
    tracker.update(answer(last + 0.2))
    assert len(boxes_at(tracker, last + 0.2)) == 1
    assert len(boxes_at(tracker, last + COAST - 0.01)) == 1
    assert boxes_at(tracker, last + COAST + 0.01) == []


def test_a_thing_missed_for_a_while_keeps_its_id() -> None:
    """A thing that samples missed for less than two seconds is the same when it is back, and after that another."""
    for missing, same in ((0.2, True), (GAP - 0.2, True), (GAP + 0.2, False)):
        tracker, pts = Tracker(), 0.2
        tracker.update(answer(0.0, HERE))
        tracker.update(answer(0.2, moved(HERE, 1)))
        while pts < 0.2 + missing - 1e-6:
            pts += 0.2
            tracker.update(answer(pts))
        tracker.update(answer(pts + 0.2, moved(HERE, 2)))
        assert (ids_at(tracker, pts + 0.2) == [1]) == same


def test_a_model_that_is_silent_misses_nothing() -> None:
    """Seconds without any answer are no misses: the first that comes after them finds the same things."""
    tracker = Tracker()
    for pts in (0.0, 0.2, 0.4):
        tracker.update(answer(pts, HERE))
    tracker.update(answer(9.0))
    tracker.update(answer(9.2, HERE))
    assert ids_at(tracker, 9.2) == [1]


def test_faint_rows_continue_and_never_begin() -> None:
    """A faint row carries a thing on that two samples found, where it is; of itself it is nothing."""
    tracker = Tracker()
    tracker.update(answer(0.0, HERE, faint=(FAR,)))
    tracker.update(answer(0.2, moved(HERE, 1), faint=(FAR,)))
    assert ids_at(tracker, 0.2) == [1]
    tracker.update(answer(0.4, faint=(moved(HERE, 2), FAR)))
    assert boxes_at(tracker, 0.4) == [moved(HERE, 2)]
    for number in range(3, 20):
        tracker.update(answer(number / 5, faint=(moved(HERE, number),)))
    assert ids_at(tracker, 19 / 5) == [1]
    assert len(tracker) == 1


def test_a_faint_match_shows_the_last_strong_score() -> None:
    """Viewers of a stream that is cut at 0.5 see no score below it, whatever carries a box on."""
    tracker = Tracker()
    for number, score in enumerate((0.7, 0.8)):
        tracker.update(answer(number / 5, HERE, score=score))
    tracker.update(answer(0.4, faint=(HERE,)))
    assert [box.score for pts in (0.4, 0.5) for box in tracker.at(pts)] == [pytest.approx(0.8)] * 2


def test_after_a_cut_nothing_is_as_it_was() -> None:
    """From the first frame of another scene no old box is drawn, before its sample as after it, and ids are new."""
    tracker = Tracker(flying(Similarity(1, 2), 60, cuts=(22,)))
    for number in range(5):
        tracker.update(answer(number / 5, moved(HERE, 10 * number)))
    assert ids_at(tracker, 21 / FPS) == [1]
    assert ids_at(tracker, 22 / FPS) == []
    tracker.update(answer(25 / FPS, moved(HERE, 50)))
    assert ids_at(tracker, 21 / FPS) == [1]  # a frame of the old scene that is still to be shown
    assert ids_at(tracker, 24 / FPS) == []
    assert ids_at(tracker, 25 / FPS) == [2]


def test_a_late_answer_gives_the_same_tracks() -> None:
    """Answers that come half a second after later frames were seen give the same ids and boxes as those in time."""
    dice = np.random.default_rng(5)
    step = Similarity(1.0005 + 0.001j, -7 + 3j)
    answers, places = [], [complex(x, y) for x, y in dice.uniform(200, 1000, (6, 2))]
    for number in range(80):
        places = [step.point(place) for place in places]
        if number % 5 == 0:
            seen = [place + complex(*dice.normal(0, 2, 2)) for place in places if dice.random() > 0.2]
            boxes = [(p.real - 20, p.imag - 30, p.real + 20, p.imag + 30) for p in seen]
            answers.append(answer((number + 1) / FPS, *boxes))
    late_path, prompt_path = flying(step, 100), CameraPath()
    late, prompt = Tracker(late_path), Tracker(prompt_path)
    for number in range(100):
        prompt_path.add(number / FPS, step if number else None)
        for each in answers:
            if round(each.pts * FPS) == number:
                prompt.update(each)
    for each in answers:
        late.update(each)
    for pts in np.arange(answers[-3].pts, answers[-1].pts + 0.3, 0.01):
        assert ids_at(late, pts) == ids_at(prompt, pts)
        np.testing.assert_allclose(boxes_at(late, pts), boxes_at(prompt, pts), atol=1e-6)


@pytest.mark.parametrize("fps", [12.5, 50])
def test_the_frame_rate_changes_nothing(fps: float) -> None:
    """The same scene at half as many frames a second, or twice as many, has the same ids and boxes."""

    def played(rate: float) -> Tracker:
        tracker, dice = (
            Tracker(flying(Similarity(1, complex(-150, 80) / rate), round(4 * rate), fps=rate)),
            random.Random(1),
        )
        for sample in range(16):
            pts = sample * 0.24
            boxes = [moved(FAR, 250 * number - 150 * pts, 90 * number + 80 * pts) for number in range(3)]
            tracker.update(answer(pts, *(box for box in boxes if dice.random() > 0.3)))
        return tracker

    one, other = played(FPS), played(fps)
    for pts in np.arange(3.0, 3.8, 0.08):
        assert ids_at(one, pts) == ids_at(other, pts)
        np.testing.assert_allclose(boxes_at(one, pts), boxes_at(other, pts), atol=1e-6)


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
    """Two things of two classes in one place are two things, and neither becomes the other."""
    tracker = Tracker()
    for number in range(6):
        rows = ([HERE, HERE], [1, 2]) if number % 2 else ([HERE, HERE], [2, 1])
        tracker.update(make_detections(number / 5, rows[0], class_ids=rows[1]))
        assert {box.tracker_id: box.class_id for box in tracker.at(number / 5)} == {1: 2, 2: 1}


def test_the_class_is_voted_on() -> None:
    """A thing that the model calls something else for one sample keeps its id, and its label."""
    tracker = Tracker()
    for number, class_id in enumerate([1, 1, 2, 1]):
        (known,) = tracker.update(make_detections(number / 5, [HERE], class_ids=[class_id]))
        assert known is not None
        assert (known.tracker_id, known.label) == (1, "class 1")
        assert [(box.tracker_id, box.label, box.class_id) for box in tracker.at(number / 5)] == [(1, "class 1", 1)]


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


def test_an_overtaken_answer_tells_what_was_there() -> None:
    """An answer that comes after that to a later frame has the ids of what is followed there, and draws nothing anew.

    What began after it is known from it on, what it shows alone is nothing, and it is counted.
    """
    tracker = Tracker(flying(Similarity(1, 2), 60))
    tracker.update(answer(1.0, HERE))
    tracker.update(answer(1.4, moved(HERE, 20), moved(FAR, 20)))
    before = [boxes_at(tracker, pts) for pts in (1.0, 1.2, 1.4, 1.5)]
    alone = moved(FAR, 300)
    nothing, far, here = tracker.update(answer(1.2, alone, moved(FAR, 10), moved(HERE, 10), score=0.75))
    assert nothing is None
    assert far is not None
    assert here is not None
    assert (here.tracker_id, here.first_seen, here.last_seen) == (1, 1.0, 1.4)
    assert (far.tracker_id, far.first_seen, far.last_seen) == (2, 1.2, 1.4)
    assert here.scores == pytest.approx((0.9, 0.75, 0.9))
    assert far.scores == pytest.approx((0.75, 0.9))
    assert [boxes_at(tracker, pts) for pts in (1.0, 1.2, 1.4, 1.5)] == before
    assert (len(tracker), tracker.overtaken, tracker.too_late) == (2, 1, 0)


def test_an_answer_may_come_too_late() -> None:
    """An answer from before what is remembered, of a frame that is known, of an old scene or model tells nothing."""
    tracker = Tracker(flying(Similarity(1, 2), 60, cuts=(28,)))
    tracker.update(answer(1.0, HERE))
    tracker.update(answer(1.2, HERE))
    assert tracker.update(answer(0.8, HERE)) == (None,)
    assert tracker.update(answer(1.2, HERE, faint=(FAR,))) == (None,)
    assert tracker.half_seen == ()
    assert tracker.update(replace(answer(1.1, HERE), version=7)) == (None,)
    assert (tracker.overtaken, tracker.too_late) == (3, 3)
    tracker.update(answer(1.4, moved(HERE, 2)))
    assert tracker.update(answer(1.1, HERE))[0] is None  # there was a cut before what came after it
    assert ids_at(tracker, 1.4) == [2]


@pytest.mark.parametrize("apart", [1, 2, 4])
def test_answers_out_of_order_say_the_same(apart: int) -> None:
    """Answers that come some places later than their frames keep all ids, and what is told at last is as in order."""
    dice, step = np.random.default_rng(7), Similarity(1.0005 + 0.001j, -3 + 2j)
    places, answers = [complex(x, y) for x, y in dice.uniform(200, 1000, (6, 2))], []
    for number in range(100):
        places = [step.point(place) for place in places]
        if number % 5 == 0:
            seen = [place for place in places if dice.random() > 0.15 or number in (0, 95)]
            boxes = [(p.real - 20, p.imag - 30, p.real + 20, p.imag + 30) for p in seen]
            answers.append(answer((number + 1) / FPS, *boxes, score=float(dice.uniform(0.5, 0.9))))
    in_order, shuffled = Tracker(flying(step, 110)), Tracker(flying(step, 110))
    told = {each.pts: in_order.update(each) for each in answers}
    late = range(3, 17, 3 + apart)
    order = sorted(range(20), key=lambda place: place + apart + 0.5 if place in late else place)
    again = {answers[place].pts: shuffled.update(answers[place]) for place in order}
    assert shuffled.overtaken == len(late)
    for pts, known in again.items():
        expected = [each and each.tracker_id for each in told[pts]]
        assert [each and each.tracker_id for each in known] == expected
    assert [(each.scores, each.first_seen) for each in again[answers[-1].pts] if each] == [
        (each.scores, each.first_seen) for each in told[answers[-1].pts] if each
    ]


def test_rows_are_told_what_they_are_known_as() -> None:
    """Each row is told its thing's id, label, first and last sample, and the scores of the newest samples."""
    tracker = Tracker()
    tracker.update(answer(0.0, HERE, score=0.75))
    tracker.update(answer(0.2, FAR, score=0.5))
    tracker.update(answer(0.4, faint=(moved(FAR, 1),)))
    far, here = tracker.update(answer(0.6, FAR, HERE, score=0.5))
    assert here is not None
    assert far is not None
    assert (here.tracker_id, here.label, here.class_id, here.first_seen, here.last_seen) == (1, "class 1", 1, 0.0, 0.6)
    assert list(here.scores) == [0.75, 0, 0, 0.5]
    assert (far.tracker_id, far.first_seen) == (2, 0.2)
    assert list(far.scores) == [0.5, 0, 0.5]  # one sample found it: no faint row carries it yet
    for number in range(4, 30):
        told = tracker.update(answer(number / 5, FAR, HERE))
        assert [each is not None and len(each.scores) for each in told] == [
            min(number, SCORES),
            min(number + 1, SCORES),
        ]


def test_speed_is_told_where_the_camera_stands() -> None:
    """A thing's own speed is known where the camera has stood for a while; on a moving camera nobody says one."""
    for step, standing in ((Similarity(), True), (Similarity(1, 4 + 0j), False)):
        count = int((STANDS + 3) * FPS)
        tracker, speeds = Tracker(flying(step, count)), list[float | None]()
        for number in range(0, count, 5):
            own = 30 * number / FPS + step.shift.real * number
            (known,) = tracker.update(answer(number / FPS, moved(FAR, own)))
            assert known is not None
            speeds.append(known.speed)
        assert speeds[0] is None
        assert speeds[10] is None
        assert speeds[-1] == (pytest.approx(30, abs=3) if standing else None)


def test_ids_may_be_shared() -> None:
    """Trackers that share their ids never give the same one."""
    ids = itertools.count(1)
    one, other = Tracker(ids=ids), Tracker(ids=ids)
    one.update(make_detections(1.0, [HERE, FAR]))
    other.update(make_detections(1.0, [HERE]))
    assert (ids_at(one, 1.0), ids_at(other, 1.0)) == ([1, 2], [3])


def test_clearing_forgets_everything() -> None:
    """After clearing nothing is drawn, a stream may begin at 0 again, and no id is used twice."""
    tracker = Tracker()
    tracker.update(make_detections(100.0, [HERE]))
    tracker.clear()
    assert tracker.at(100.0) == []
    tracker.update(make_detections(0.2, [HERE]))
    assert [box.tracker_id for box in tracker.at(0.2)] == [2]


def test_memory_is_bounded() -> None:
    """A stream that shows a hundred new things in every sample keeps only some of them, the newest, and few samples."""
    dice = np.random.default_rng(4)
    tracker = Tracker()
    for index in range(60):
        corners = dice.uniform(0, 10_000, (100, 2))
        tracker.update(make_detections(index / 60, np.hstack([corners, corners + 5]).tolist()))
        assert len(tracker) <= MOST_TRACKS
        assert len(tracker._history) <= MOST
        assert len(tracker.at(index / 60)) == 100


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
SAMPLES = st.lists(st.tuples(st.floats(0.001, 3), THINGS, THINGS), min_size=1, max_size=12)
STEPS = st.sampled_from([None, Similarity(), Similarity(1.01 + 0.02j, 3 - 4j)])


def said_of(pts: float, things: list[Thing]) -> Detections:
    """An answer of these rows."""
    boxes, class_ids, scores = zip(*things, strict=True) if things else ((), (), ())
    return make_detections(pts, boxes, class_ids=class_ids, scores=scores)


@settings(max_examples=50)
@given(SAMPLES, STEPS, st.lists(st.floats(-1, 2), max_size=4))
def test_whatever_the_model_says(
    samples: list[tuple[float, list[Thing], list[Thing]]], step: Similarity | None, around: list[float]
) -> None:
    """On a sampled frame each row of the model's is drawn where it saw it, with an id of its own, as it is told.

    No id is given twice, nothing is drawn twice, faint rows are no things, and what is remembered is bounded.
    """
    path = CameraPath()
    tracker, pts = Tracker(path), 0.0
    begun, newest = 0, 0
    for elapsed, things, faint in samples:
        pts += elapsed
        path.add(pts, step)
        told = tracker.update(replace(said_of(pts, things), faint=said_of(pts, faint)))
        found = {each.tracker_id: each for each in tracker.at(pts)}
        ids = [known.tracker_id for known in told if known is not None]
        assert len(ids) == len(set(ids)) == len(things)
        for known, (box, _, score) in zip(told, things, strict=True):
            assert known is not None
            shown = found[known.tracker_id]
            assert (shown.box, shown.score, shown.label) == (box, score, known.label)
        fresh = [each for each in ids if each > newest]
        begun += len(fresh)
        newest = max(newest, *ids) if ids else newest
        assert newest == begun
        for each in [*found.values(), *(each for shift in around for each in tracker.at(pts + shift))]:
            assert each.tracker_id <= newest
            assert np.isfinite(each.box).all()
        assert len(tracker) <= 6 * 12


def test_every_row_is_drawn_once() -> None:
    """Identical boxes are as many things as the model says, sample after sample."""
    tracker = Tracker()
    for index in range(5):
        tracker.update(make_detections(index / 5, [HERE] * 3))
        assert boxes_at(tracker, index / 5) == [HERE] * 3
    assert len({box.tracker_id for box in tracker.at(0.8)}) == 3


def test_an_answers_own_boxes_have_no_id() -> None:
    """The boxes of one answer alone are exactly its own, and followed by nobody, unless it says by whom."""
    said = make_detections(1.0, [HERE, FAR], class_ids=[3, 1], scores=[0.75, 0.5])
    assert [(box.tracker_id, box.box, box.label, box.class_id, box.score) for box in boxes_of(said)] == [
        (0, HERE, "class 3", 3, 0.75),
        (0, FAR, "class 1", 1, 0.5),
    ]
    followed = replace(said, followed=Tracker().update(said))
    assert [box.tracker_id for box in boxes_of(followed)] == [1, 2]
    assert [box.tracker_id for box in boxes_of(replace(said, followed=(None, None)))] == [0, 0]
