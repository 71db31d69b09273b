"""streamer.view.annotator: boxes, labels and scores drawn on a frame."""

import random
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.values.track import TrackedBox
from streamer.view import annotator
from streamer.view.annotator import NOTICE, PALETTE, PALETTE_RGB, annotate, color_of
from tests.peers.frames import make_frame, make_picture

Planes = NDArray[np.uint8]


def box_of(
    x0: float, y0: float, x1: float, y1: float, *, class_id: int = 1, score: float = 0.5, label: str = "thing"
) -> TrackedBox:
    """A box with a label."""
    return TrackedBox(1, (x0, y0, x1, y1), label, class_id, score)


def at(planes: Planes, x: int, y: int) -> tuple[int, int, int]:
    """Y, U, V of a pixel of I420 planes."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return int(planes[y, x]), int(chroma[0, y // 2, x // 2]), int(chroma[1, y // 2, x // 2])


def test_the_frame_stays_as_it_is() -> None:
    """Drawing changes a copy: the frame's picture is the same to the bit, and the copy is not."""
    frame = make_frame(picture=make_picture(640, 480, seed=1))
    before = frame.picture.to_ndarray()
    drawn = annotate(frame, [box_of(100, 100, 300, 300)], "no detections yet")
    np.testing.assert_array_equal(frame.picture.to_ndarray(), before)
    assert (drawn != before).any()


def test_without_boxes_the_picture_is_unchanged() -> None:
    """No boxes and no notice give the very picture."""
    frame = make_frame(picture=make_picture(640, 480, seed=1))
    np.testing.assert_array_equal(annotate(frame, []), frame.planes())


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (3840, 2160)])
@pytest.mark.parametrize("class_id", [1, 2, 6, 7])
def test_the_edges_carry_the_colour_of_the_class(size: tuple[int, int], class_id: int) -> None:
    """All four edges of a box are in its class's colour, its inside and what lies around it as before."""
    width, height = size
    x0, y0, x1, y1 = width // 4, height // 4, 3 * width // 4, 3 * height // 4
    frame = make_frame(picture=make_picture(*size))
    drawn = annotate(frame, [box_of(x0, y0, x1, y1, class_id=class_id)])
    middle_x, middle_y = width // 2, height // 2
    for x, y in ((x0, middle_y), (x1, middle_y), (middle_x, y1), (x1, y0), (x1, y1), (x0, y1)):
        assert at(drawn, x, y) == color_of(class_id)
    assert at(drawn, x1 - 20, y0) == color_of(class_id)
    untouched = frame.planes()
    for x, y in (
        (middle_x, middle_y),
        (x0 + 40, y1 - 40),
        (x1 + 40, y1 + 40),
        (width - 1, height - 1),
        (0, height - 1),
    ):
        assert at(drawn, x, y) == at(untouched, x, y)


def test_colours_are_the_palettes() -> None:
    """The colours drawn, seen as RGB again, are those the page uses."""
    for rgb, yuv in zip(PALETTE_RGB, PALETTE, strict=True):
        planes = np.zeros((3, 2), np.uint8)
        planes[:2], planes[2] = yuv[0], yuv[1:]
        found = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)[0, 0]
        assert np.abs(found.astype(int) - rgb).max() <= 4
    assert len(set(PALETTE)) == len(PALETTE)


def test_every_class_has_a_colour() -> None:
    """Ids beyond the palette, 0 and negative ones have colours as well, and neighbours differ."""
    assert color_of(1) == PALETTE[0]
    for class_id in (-1, 0, 1, 5, 6, 7, 90, 10**9):
        assert color_of(class_id) in PALETTE
        assert color_of(class_id) != color_of(class_id + 1)


def test_a_tag_stands_above_its_box_and_inside_where_there_is_no_room() -> None:
    """The label stands on the class's colour right above the box, or in its corner at the top of the picture."""
    frame = make_frame(picture=make_picture(1280, 720))
    for y0, rows in ((300, range(290, 299)), (0, range(4, 20))):
        drawn = annotate(frame, [box_of(400, y0, 800, 600)])
        assert all(at(drawn, 402, y) == color_of(1) for y in rows)
        ink = drawn[rows.start - 12 if y0 else 0 : rows.stop, 404:480]
        assert ink.min() < 60


def test_the_tag_says_label_and_score() -> None:
    """Another label or another score is another tag, and nothing else differs."""
    frame = make_frame(picture=make_picture(1280, 720))
    one, other, third = (
        annotate(frame, [box_of(400, 300, 800, 600, label=label, score=score)])
        for label, score in (("insulator", 0.91), ("insulator", 0.92), ("defect", 0.91))
    )
    for different in (other, third):
        rows, columns = np.nonzero(one[:720] != different[:720])
        assert len(rows) > 10
        assert 270 <= rows.min() <= rows.max() < 300
        assert 398 <= columns.min() <= columns.max() < 560


def test_the_surest_box_is_on_top() -> None:
    """Where boxes cross, the one with the higher score is drawn over the other, in whatever order they come."""
    frame = make_frame(picture=make_picture(640, 480))
    boxes = [box_of(100, 100, 300, 300, class_id=1, score=0.9), box_of(100, 100, 300, 300, class_id=2, score=0.5)]
    for given in (boxes, boxes[::-1]):
        assert at(annotate(frame, given), 300, 200) == color_of(1)


def test_a_notice_is_written_in_the_corner() -> None:
    """A notice stands in the top left corner on its own colour."""
    frame = make_frame(picture=make_picture(1280, 720))
    drawn = annotate(frame, [], "no fresh detections for 12 s")
    changed = np.argwhere(drawn[:720] != frame.planes()[:720])
    assert changed[:, 0].max() < 60
    assert changed[:, 1].max() < 500
    assert at(drawn, 14, 14) == NOTICE


SIZES = [(16, 16), (2, 2), (17, 31), (16, 400), (400, 16), (33, 47), (320, 240), (639, 359), (1280, 720)]
LABELS = ["", "a", "insulator", "W" * 400, "çüñ 絶縁体 🙂", "two\nlines", "%s{0}", "\t", "class 7"]


@pytest.mark.parametrize("size", SIZES)
def test_no_box_is_too_odd_to_draw(size: tuple[int, int]) -> None:
    """Boxes beyond the picture, inside out, empty or huge, with any label, on any size of picture, are no failure."""
    dice = random.Random(size[0] * 10_000 + size[1])
    frame = make_frame(picture=make_picture(*size))
    shape = frame.planes().shape
    scales = (1.0, 2.0, 100.0, 1e5, 1e9, 1e18)

    def edge(length: int) -> float:
        return dice.choice([0.0, float(length), length - 0.5, dice.uniform(-1, 1) * length * dice.choice(scales)])

    for _ in range(150):
        boxes = [
            box_of(
                *(edge(length) for length in (*size, *size)),
                class_id=dice.randrange(-5, 200),
                score=dice.uniform(0, 1),
                label=dice.choice(LABELS),
            )
            for _ in range(dice.randrange(4))
        ]
        drawn = annotate(frame, boxes, dice.choice([None, *LABELS]))
        assert drawn.shape == shape
        assert drawn.dtype == np.uint8


def test_a_box_partly_outside_shows_the_part_inside() -> None:
    """Of a box that goes beyond the picture the edges inside are drawn where they belong."""
    frame = make_frame(picture=make_picture(640, 480))
    for far in (1e3, 1e6, 1e12):
        drawn = annotate(frame, [box_of(-far, -far, 320, 240)])
        assert at(drawn, 320, 200) == color_of(1)
        assert at(drawn, 600, 240) == at(frame.planes(), 600, 240)
        assert at(drawn, 300, 240) == color_of(1)
        drawn = annotate(frame, [box_of(320, 240, far, far)])
        assert at(drawn, 320, 400) == color_of(1)
        assert at(drawn, 600, 240) == color_of(1)


@pytest.mark.parametrize("box", [(-90, 50, -10, 90), (50, -90, 90, -10), (700, 50, 900, 90), (50, 500, 90, 1e9)])
def test_what_is_outside_leaves_no_tag(box: tuple[float, float, float, float]) -> None:
    """Of a thing that moved out of the picture nothing is drawn, not even its tag."""
    frame = make_frame(picture=make_picture(640, 480))
    np.testing.assert_array_equal(annotate(frame, [box_of(*box)]), frame.planes())


def test_ids_are_drawn_where_they_are_asked_for() -> None:
    """The tag says which thing is which when that is wanted, and of what nobody follows it never does."""
    frame = make_frame(picture=make_picture(640, 480))
    followed, alone = box_of(50, 100, 300, 300), TrackedBox(0, (50, 100, 300, 300), "thing", 1, 0.5)
    plain, numbered = annotate(frame, [followed]), annotate(frame, [followed], show_ids=True)
    as_named = annotate(frame, [box_of(50, 100, 300, 300, label="thing #1")])
    np.testing.assert_array_equal(numbered, as_named)
    assert (numbered != plain).any()
    np.testing.assert_array_equal(annotate(frame, [alone], show_ids=True), plain)


def test_threads_draw_the_same_as_one() -> None:
    """Streams draw in threads of their own, and each gets the pictures it would have got alone."""
    frame = make_frame(picture=make_picture(640, 480))

    def draw(number: int) -> Planes:
        return annotate(frame, [box_of(50, 50, 300, 300, label=f"label {number}", score=number % 100 / 100)])

    alone = [draw(number) for number in range(200)]
    annotator._glyphs.cache_clear()
    annotator._face.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(draw, range(200)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
