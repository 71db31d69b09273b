"""Decode times of pictures of which only is known when they are shown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.decode_times import SLACK, DecodeTimes

STEP = 40_000


@st.composite
def reordered(draw: st.DrawFn) -> tuple[int, list[int]]:
    """How many pictures may come before one that is shown earlier, and times in which no more than that do."""
    reorder, times = draw(st.integers(0, 4)), list[int]()
    for number in reversed(range(1, draw(st.integers(1, 40)))):  # each goes behind so many that are shown later
        times.insert(draw(st.integers(0, min(reorder, len(times)))), number * STEP + draw(st.integers(0, STEP // 2)))
    return reorder, [0, *times]


@given(reordered())
def test_they_rise_and_none_is_late(case: tuple[int, list[int]]) -> None:
    """Of whatever order an encoder may choose, decode times rise strictly and none is after its picture's time."""
    reorder, times = case
    decode = DecodeTimes(reorder, times[0], STEP)
    due = [decode.of(time) for time in times]
    assert None not in due
    known = [each for each in due if each is not None]
    assert all(before < after for before, after in pairwise(known))
    assert all(each <= time for each, time in zip(known, times, strict=True))


@given(st.integers(0, 3), st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_whatever_comes_they_rise(reorder: int, steps: list[int]) -> None:
    """Times in any order at all: what is taken rises strictly and is shown no more than the slack early."""
    first, *times = [step * STEP for step in steps]
    decode = DecodeTimes(reorder, first, STEP)
    taken = [(due, time) for time in (first, *(max(first, time) for time in times)) if (due := decode.of(time))]
    assert all(before[0] < after[0] for before, after in pairwise(taken))
    assert all(due < time + SLACK for due, time in taken)


def test_two_pictures_of_one_time_are_both_decoded() -> None:
    """A camera that gives two pictures one time loses neither."""
    decode = DecodeTimes(0, 0, STEP)
    assert [decode.of(time) for time in (0, STEP, STEP, 2 * STEP)] == [0, STEP, STEP + 1, 2 * STEP]
