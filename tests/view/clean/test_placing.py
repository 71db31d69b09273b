"""streamer.view.clean.placing: the stream's time of pictures that were not decoded."""

from dataclasses import replace

import pytest

from streamer.view.clean.placing import Placing
from tests.peers.frames import make_frame


def test_a_picture_has_the_time_that_its_neighbour_says() -> None:
    """Within one opening, the stream's time is as far from a decoded frame's as the source's is."""
    placing = Placing()
    assert placing.pts((1, 0)) is None
    placing.decoded(replace(make_frame(5.0), opening=1, coded_at=90_000_000))
    assert placing.pts((1, 90_500_000)) == pytest.approx(5.5)
    assert placing.pts((1, 89_000_000)) == pytest.approx(4.0)
    assert placing.pts((2, 90_500_000)) is None


def test_what_is_known_better_is_of_the_pictures_since() -> None:
    """After an answer, those that were sent behind its frame and have no answer of their own."""
    placing = Placing()
    for number in range(6):
        placing.sent((1, number), float(number))
    placing.sent((2, 9), 9.0)
    assert placing.answered((1, 4)) == [(1, 5)]
    assert placing.answered((1, 2)) == [(1, 3), (1, 5)]
    assert placing.is_exact((1, 4))
    assert not placing.is_exact((1, 5))
