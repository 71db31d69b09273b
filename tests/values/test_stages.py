"""streamer.values.stages: what lies between stamps adds up to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.stages import LENGTH, STAGES, WAYS, durations

moments = st.floats(min_value=-1e6, max_value=1e6)


@given(moments, st.lists(st.none() | moments, max_size=9), moments)
def test_stages_add_up_whatever_the_stamps_say(first: float, between: list[float | None], last: float) -> None:
    """The stages' sum is the whole way's length, none is negative, and an untold stamp's stage is none."""
    found = durations([first, *between, last])
    known = [each for each in found if each is not None]
    assert sum(known) == pytest.approx(max(0.0, last - first), abs=1e-6)
    assert all(each >= 0 for each in known)
    assert [each is None for each in found] == [each is None for each in between] + [False]


def test_stamps_in_order_are_taken_as_they_are() -> None:
    """Each stage lasts from its beginning to its end; what is untold falls to the next."""
    assert durations([1.0, 2.0, None, 6.0, 7.5]) == [1.0, None, 4.0, 1.5]


def test_a_way_has_both_ends() -> None:
    """Without its first or last stamp a way has no length, and that is said."""
    for stamps in ([None, 1.0, 2.0], [1.0, 2.0, None]):
        with pytest.raises(ValueError, match="a beginning and an end"):
            durations(stamps)


def test_each_way_is_a_part_of_the_next() -> None:
    """Ways are as long as is said, the longest has every stage."""
    lengths = [LENGTH[way] for way in WAYS]
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(STAGES)
