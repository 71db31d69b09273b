"""Strings cut out of one photo and pasted into another."""

import cv2
import numpy as np

from sightline_models.insulators.axis import Axis
from sightline_models.insulators.cutout import Cutout
from tests.peers.drawn_string import DrawnString

GAP = np.array([[[380, 272], [420, 272], [420, 304], [380, 304]]], np.float32)


def _cutout() -> Cutout:
    string = DrawnString(0.0)
    axis = Axis(string.center, 0.0, string.length, string.thickness, string.pitch, 1.0, double=False)
    cutout = Cutout.of(string.image(), axis, GAP)
    assert cutout is not None
    return cutout


def test_the_caps_are_cut_out_and_the_ground_is_not() -> None:
    """Alpha covers dark caps, and little of the bright ground between and around them."""
    cutout = _cutout()
    dark = cutout.image.mean(axis=2) < 100
    assert (cutout.alpha[dark] > 127).mean() > 0.9
    assert (cutout.alpha[~dark] > 127).mean() < 0.3


def test_bare_ground_gives_no_cutout() -> None:
    """Where string and background cannot be told apart nothing is pasted anywhere."""
    flat = np.full((576, 768, 3), 120, np.uint8)
    axis = Axis((384.0, 288.0), 0.0, 300.0, 34.0, 14.0, 1.0, double=False)
    assert Cutout.of(flat, axis, np.zeros((0, 4, 2), np.float32)) is None


def test_a_pasted_string_is_inside_its_corners_with_its_gap_on_it() -> None:
    """Every pixel a paste changes lies in the returned corners, and the gap's label lies there too."""
    ground = np.full((576, 768, 3), 200, np.uint8)
    for seed in range(10):
        pasted = _cutout().paste(ground, np.zeros((0, 4), np.float32), np.random.default_rng(seed))
        assert pasted is not None
        image, corners, gaps = pasted
        rows, columns = np.nonzero((np.abs(image.astype(int) - ground) > 60).any(axis=2))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        assert left - 2 <= columns.min()
        assert columns.max() <= right + 2
        assert top - 2 <= rows.min()
        assert rows.max() <= bottom + 2
        middle = gaps[0].mean(axis=0)
        assert cv2.pointPolygonTest(corners, (float(middle[0]), float(middle[1])), measureDist=False) > 0


def test_a_paste_covers_no_string_that_is_there() -> None:
    """Where the whole picture is taken there is no place for another string."""
    ground = np.full((576, 768, 3), 200, np.uint8)
    taken = np.array([[x, y, x + 96, y + 96] for x in range(0, 768, 96) for y in range(0, 576, 96)], np.float32)
    assert _cutout().paste(ground, taken, np.random.default_rng(0)) is None
