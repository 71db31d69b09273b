"""Caps taken out of strings, and put back."""

import cv2
import numpy as np

from sightline_models.insulators.axis import Axis
from sightline_models.insulators.gap import cut_gap, mend_gap
from sightline_models.insulators.picture import box_of
from tests.peers.drawn_string import DrawnString


def _axis(string: DrawnString) -> Axis:
    return Axis(
        string.center, np.radians(string.degrees), string.length, string.thickness, string.pitch, 1.0, double=False
    )


def _dark(image: np.ndarray, outline: np.ndarray) -> float:
    """Share of the outline that has a cap's colour."""
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, outline.astype(np.int32), 1)
    return float((image.mean(axis=2) < 100)[mask > 0].mean())


def test_a_gap_is_where_its_label_says_and_nowhere_else() -> None:
    """Inside the label caps go; outside it no pixel changes."""
    string = DrawnString(15.0)
    before = string.image()
    for seed in range(8):
        cut = cut_gap(before, _axis(string), np.random.default_rng(seed))
        assert cut is not None
        after, label = cut
        changed = np.abs(after.astype(int) - before).max(axis=2) > 12
        around = np.zeros(changed.shape, np.uint8)
        cv2.fillConvexPoly(around, label.astype(np.int32), 1)
        around = cv2.dilate(around, np.ones((9, 9), np.uint8))
        assert changed.sum() > 60
        assert not changed[around == 0].any()
        assert label.min() >= 0


def test_the_picture_given_is_left_alone() -> None:
    """Photos are used again in every epoch: a gap is cut into a copy."""
    string = DrawnString(0.0)
    image = string.image()
    cut_gap(image, _axis(string), np.random.default_rng(0))
    assert np.array_equal(image, string.image())


def test_what_looks_like_its_background_gets_no_gap() -> None:
    """Where taking a cap away would change nothing, nothing is labelled as missing."""
    string = DrawnString(0.0, caps=0)
    axis = Axis(string.center, 0.0, 300.0, 34.0, 14.0, 1.0, double=False)
    assert cut_gap(string.image(), axis, np.random.default_rng(0)) is None


def test_a_string_shorter_than_a_gap_gets_none() -> None:
    """A string of two caps cannot lose one and still be a string with a gap."""
    string = DrawnString(0.0, caps=2)
    assert cut_gap(string.image(), _axis(string), np.random.default_rng(0)) is None


def test_a_mended_string_has_its_caps_back() -> None:
    """Mending gives gaps most of the caps' pixels back that their breaks took."""
    string = DrawnString(10.0)
    whole, axis = string.image(), _axis(string)
    lost = given_back = 0.0
    for seed in range(12):
        cut = cut_gap(whole, axis, np.random.default_rng(seed))
        assert cut is not None
        broken, label = cut
        mended = mend_gap(broken, axis, box_of(label[None])[0], np.random.default_rng(seed))
        if mended is None:  # a gap from which no whole patch is within reach
            continue
        lost += _dark(whole, label) - _dark(broken, label)
        given_back += _dark(mended, label) - _dark(broken, label)
    assert lost > 1.0
    assert given_back > 0.6 * lost


def test_a_string_without_a_healthy_piece_is_not_mended() -> None:
    """A short string keeps its gap, rather than getting something that is no string."""
    string = DrawnString(0.0, caps=6)
    box = np.array([370, 270, 398, 306], np.float32)
    assert mend_gap(string.image(), _axis(string), box, np.random.default_rng(0)) is None
