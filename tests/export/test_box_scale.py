"""Pixels are told from fractions by how far boxes reach."""

import numpy as np
import pytest

from sightline_export.box_scale import Seen, seen_scale


def answer(*reaches: float, score: float = 0.5) -> Seen:
    """A picture's answer with a box for each reach, a cell away from its edge."""
    boxes = np.array([[reach / 2, reach / 2, reach, reach] for reach in reaches]).reshape(-1, 4)
    return Seen(boxes, np.full((len(reaches), 1), score), None)


@pytest.mark.parametrize(
    ("answers", "scale"),
    [
        ([answer(0.2, 1.0)], "normalised"),
        ([answer(1.3)], "normalised"),
        ([answer(30, 600)], "pixels"),
        ([answer(), answer(0.5)], "normalised"),
        ([answer(), answer(300)], "pixels"),
        ([answer(*[0.9] * 999, 40)], "normalised"),
        ([answer(float("nan"), 0.4)], "normalised"),
        ([answer(0.4, score=0)], None),
        ([answer(3.0)], None),
        ([answer(0.0)], None),
        ([answer()], None),
    ],
)
def test_the_scale_is_seen_where_it_shows(answers: list[Seen], scale: str | None) -> None:
    """The first picture that decides does; one box of many may be anywhere, and rows that do not count do not."""
    assert seen_scale(answers, (640, 640))[0] == scale
