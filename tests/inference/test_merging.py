"""streamer.inference.merging: the answers to a frame's pictures become one."""

from dataclasses import replace

import numpy as np

from serving.signature import Contract
from streamer.inference.answer import MAX_DETECTIONS
from streamer.inference.merging import merge
from streamer.inference.pixels import Pixels
from streamer.inference.tiling import regions, sample_of_pixels
from streamer.values.detections import Detections
from tests.peers.frames import make_detections, make_frame, make_picture

SIZE = (900, 900)
"""Tiles of 2x2 are 500 wide and high: they share 400 to 500."""
SAMPLE = sample_of_pixels(
    make_frame(picture=make_picture(*SIZE)),
    Pixels((np.zeros((*SIZE, 3), np.uint8),)),
    Contract("m", height=32, width=32, labels={}),
    0.5,
    "2x2",
)
NOTHING = make_detections(0.0, size=SIZE)


def answer(*found: tuple[tuple[float, float, float, float], float], class_id: int = 1) -> Detections:
    """What one picture shows, as the model's answer is read: what it half sees apart."""
    strong = [each for each in found if each[1] >= SAMPLE.min_score]
    weak = [each for each in found if each[1] < SAMPLE.min_score]
    read = [
        make_detections(
            0.0,
            [box for box, _ in each],
            scores=[score for _, score in each],
            class_ids=[class_id] * len(each),
            size=SIZE,
        )
        for each in (strong, weak)
    ]
    return replace(read[0], faint=read[1])


def test_the_tiles_are_where_these_tests_have_them() -> None:
    """The frame's tiles share a fifth."""
    assert [(tile.left, tile.top, tile.right, tile.bottom) for tile in regions(SIZE, "2x2")] == [
        (0, 0, 500, 500),
        (400, 0, 900, 500),
        (0, 400, 500, 900),
        (400, 400, 900, 900),
    ]


def test_one_answer_is_passed_as_it_is() -> None:
    """A sample without tiles costs nothing."""
    only = answer(((1, 2, 3, 4), 0.9))
    assert merge(replace(SAMPLE, tiles=()), [only]) is only


def test_a_thing_that_a_seam_cuts_has_one_box() -> None:
    """Two halves are one thing, as wide as both, with the better score."""
    left, right = answer(((300, 100, 499, 140), 0.6)), answer(((401, 101, 700, 141), 0.8))
    merged = merge(SAMPLE, [NOTHING, left, right, NOTHING, NOTHING])
    assert merged.boxes.tolist() == [[300, 100, 700, 141]]
    assert merged.scores.tolist() == [np.float32(0.8)]
    assert merged.faint is not None
    assert len(merged.faint) == 0


def test_what_a_faint_box_shows_whole_is_seen_well_by_its_half() -> None:
    """A thing that the whole frame half shows, and a tile cuts and shows well, is seen well, in the whole one's box."""
    whole, half = answer(((300, 100, 700, 140), 0.35)), answer(((302, 100, 500, 140), 0.9))
    merged = merge(SAMPLE, [whole, half, NOTHING, NOTHING, NOTHING])
    assert (merged.boxes.tolist(), merged.scores.tolist()) == ([[300, 100, 700, 140]], [np.float32(0.9)])


def test_what_is_half_seen_everywhere_stays_so() -> None:
    """Rows below the sample's score are merged as others are, and go to the tracker alone."""
    weak = answer(((10, 10, 50, 50), 0.4), ((600, 10, 650, 50), 0.45))
    merged = merge(SAMPLE, [weak, answer(((10, 10, 50, 51), 0.3)), NOTHING, NOTHING, NOTHING])
    assert len(merged) == 0
    assert merged.faint is not None
    assert merged.faint.boxes.tolist() == [[600, 10, 650, 50], [10, 10, 50, 50]]
    assert merged.faint.labels == ("class 1", "class 1")


def test_what_is_of_another_class_is_another_thing() -> None:
    """A defect lies in an insulator, and both are told, the best first."""
    tile = answer(((10, 10, 50, 50), 0.95), class_id=2)
    merged = merge(SAMPLE, [answer(((10, 10, 50, 50), 0.9)), tile, NOTHING, NOTHING, NOTHING])
    assert merged.labels == ("class 2", "class 1")
    assert merged.class_ids.tolist() == [2, 1]


def test_what_another_version_says_is_left_out() -> None:
    """A model that was changed between two calls may call things otherwise; the frame's answer is the first one's."""
    other = replace(answer(((600, 600, 700, 700), 0.9)), version=2)
    merged = merge(SAMPLE, [answer(((10, 10, 50, 50), 0.9)), NOTHING, NOTHING, NOTHING, other])
    assert (merged.version, merged.boxes.tolist()) == (1, [[10, 10, 50, 50]])


def test_no_frame_has_more_rows_than_one_answer() -> None:
    """A model that finds a hundred things in each picture is cut short, the best first."""
    places = [(8.0 * number, 0.5 + number / 1000) for number in range(MAX_DETECTIONS)]
    answers = [
        answer(
            *[((at, at + 90 * picture, at + 3, at + 90 * picture + 3), score + picture / 100) for at, score in places]
        )
        for picture in range(5)
    ]
    merged = merge(SAMPLE, answers)
    assert len(merged) == MAX_DETECTIONS
    assert merged.scores.min() > np.sort(np.concatenate([each.scores for each in answers]))[-2 * MAX_DETECTIONS]
    assert (np.diff(merged.scores) <= 0).all()
