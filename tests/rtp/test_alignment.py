"""streamer.rtp.alignment: sound whose clock begins anywhere is put beside the pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.alignment import AGREED, CLOSE, MOST_OFF, Alignment

FAR = 40_000.0
"""Seconds from the clock of the sound to that of the pictures."""


def test_nothing_is_placed_before_a_picture() -> None:
    """There is nothing to be beside of."""
    alignment = Alignment()
    assert alignment.place(1.0, 0.0, None) is None
    alignment.pictured(100.0, 5.0)
    assert alignment.place(2.0, 5.5, None) == 100.5


@given(st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=50))
def test_sound_goes_by_its_own_clock(jitter: list[float]) -> None:
    """However unevenly pictures and sound come, what was a second apart stays so."""
    alignment = Alignment()
    placed = list[float]()
    for second, late in enumerate(jitter):
        alignment.pictured(100.0 + second, 5.0 + second)
        found = alignment.place(FAR + second, 5.0 + second + late, None)
        assert found is not None
        placed.append(found)
    assert placed == pytest.approx([placed[0] + second for second in range(len(jitter))])
    assert placed[0] == pytest.approx(100.0 + jitter[0])


def test_reports_are_believed_once() -> None:
    """Where they tell something else than arrival, by more than anybody would miss and less than a wrong clock does."""
    for told, moves in ((0.0, 0.0), (CLOSE / 2, 0.0), (0.3, 0.3), (AGREED + 0.1, 0.0), (-30.0, 0.0)):
        alignment = Alignment()
        alignment.pictured(100.0, 5.0)
        assert alignment.place(FAR, 5.0, None) == 100.0
        found = alignment.place(FAR, 5.0, 100.0 + told)
        assert found == pytest.approx(100.0 + moves)
        if moves:
            assert alignment.place(FAR, 5.0, 100.0 - told) == found


def test_a_clock_that_was_set_is_followed() -> None:
    """A jump that no network makes is the clock's; after it reports count again."""
    alignment = Alignment()
    alignment.pictured(100.0, 5.0)
    alignment.place(FAR, 5.0, 100.1)
    assert alignment.place(0.0, 5.0 + MOST_OFF, None) == pytest.approx(100.0 + MOST_OFF)
    assert alignment.place(0.0, 5.0, 99.9) == pytest.approx(99.9)
