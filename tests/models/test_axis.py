"""Where a string runs inside its box."""

import numpy as np
import pytest

from sightline_models.insulators.axis import Axis
from tests.peers.drawn_string import DrawnString


@pytest.mark.parametrize("degrees", [0.0, 12.0, -25.0, 38.0, 90.0, 70.0])
def test_the_axis_lies_along_the_caps(degrees: float) -> None:
    """Angle and pitch of a drawn string are found from its box, lying, leaning or hanging."""
    string = DrawnString(degrees, roughness=30)
    axis = Axis.find(string.image(), string.box())
    assert axis is not None
    turned = (np.degrees(axis.angle) - degrees + 90) % 180 - 90
    assert abs(turned) < 5
    assert axis.pitch == pytest.approx(string.pitch, abs=1)


def test_nothing_is_found_where_nothing_repeats() -> None:
    """A box over bare ground has no axis."""
    string = DrawnString(10.0, caps=0)
    assert Axis.find(string.image(), np.array([100, 100, 500, 180], np.float32)) is None


def test_a_strip_and_its_corners_are_the_same_piece_of_the_picture() -> None:
    """What `strip` cuts out lies between the corners that `corners` says."""
    string = DrawnString(20.0)
    axis = Axis(string.center, np.radians(20.0), string.length, string.thickness, string.pitch, 1.0, double=False)
    matrix = axis.matrix(0.5, 0.5)
    height, width = axis.strip(string.image()).shape[:2]
    ends = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    np.testing.assert_allclose(ends @ matrix[:, :2].T + matrix[:, 2], axis.outline, atol=1.0)


def test_two_rows_of_caps_are_a_pair() -> None:
    """A strip too thick for one cap holds two strings side by side, of which one can break alone."""
    assert _found(DrawnString(8.0, thickness=60, roughness=30)).double


def _found(string: DrawnString) -> Axis:
    axis = Axis.find(string.image(), string.box())
    assert axis is not None
    return axis
