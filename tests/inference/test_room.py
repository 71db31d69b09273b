"""streamer.inference.room: whether a model has the time for tiles that nobody insists on."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.room import AGAIN, LONGEST, SETTLES, Room

FPS = 5


def play(
    room: Room, start: float, seconds: float, pictures: int, call: Callable[[int], float], streams: int = 1
) -> float:
    """Streams of FPS that wish for so many pictures a sample, each asked about in a call; gives the time it ends."""
    for step in range(round(seconds * FPS)):
        now = start + step / FPS
        for _ in range(streams):
            room.asked(pictures, now)
            carried = pictures if room.is_open else 1
            room.called(carried, call(carried))
    return start + seconds


def has_room(room: Room) -> bool:
    """As it is now."""
    return room.is_open


def opened(call: Callable[[int], float], pictures: int = 5, streams: int = 1) -> bool:
    """Whether there is room after twenty seconds."""
    room = Room()
    play(room, 1000.0, 20.0, pictures, call, streams)
    return room.is_open


def test_tiles_wait_until_it_is_known_what_they_cost() -> None:
    """Nothing is decided before there were calls, and for three times SETTLES."""
    room = Room()
    for step in range(200):
        room.asked(5, 1000.0 + step / FPS)
    assert not room.is_open
    room = Room()
    now = play(room, 1000.0, 3 * SETTLES - 1, 5, lambda pictures: 0.001 * pictures)
    assert not room.is_open
    play(room, now, 2.0, 5, lambda pictures: 0.001 * pictures)
    assert room.is_open


@pytest.mark.parametrize(
    ("each", "streams", "is_open"), [(0.02, 1, True), (0.05, 1, False), (0.02, 2, False), (0.005, 4, True)]
)
def test_there_is_room_while_all_wishes_fit(each: float, streams: int, is_open: bool) -> None:
    """What counts is the model's time for a picture, times those of all streams, had each its tiles."""
    assert opened(lambda pictures: each * pictures, streams=streams) == is_open


def test_a_model_that_gains_by_batches_has_more_room() -> None:
    """Where larger calls are known to cost less a picture, as on a GPU, that is reckoned with."""
    room = Room()
    for number in range(100):
        room.called(1 + number % 3, 0.03 + 0.0005 * (1 + number % 3))
    play(room, 1000.0, 20.0, 5, lambda pictures: 0.03 + 0.0005 * pictures, streams=3)
    assert room.is_open
    assert not opened(lambda pictures: 0.03 * pictures, streams=3)


def test_it_stays_as_it_is_between_the_two_limits() -> None:
    """A load that would not open it does not close it, so that it does not flap."""
    room = Room()
    now = play(room, 1000.0, 20.0, 5, lambda pictures: 0.02 * pictures)
    assert has_room(room)
    now = play(room, now, 60.0, 5, lambda pictures: 0.028 * pictures)
    assert has_room(room)
    play(room, now, 20.0, 5, lambda pictures: 0.05 * pictures)
    assert not has_room(room)
    assert not opened(lambda pictures: 0.028 * pictures)


def test_a_lost_frame_takes_the_tiles_away_and_each_time_for_longer() -> None:
    """They are tried again after AGAIN, then after twice that, up to LONGEST; after a long good time it begins anew."""
    room, now, pauses = Room(), 1000.0, list[float]()
    now = play(room, now, 20.0, 5, lambda pictures: 0.01 * pictures)
    for _ in range(7):
        room.lost(now)
        assert not has_room(room)
        closed = now
        while not has_room(room):
            now = play(room, now, 1.0, 5, lambda pictures: 0.01 * pictures)
        pauses.append(now - closed - 1)
    assert pauses == pytest.approx([AGAIN, 2 * AGAIN, 4 * AGAIN, 8 * AGAIN, 16 * AGAIN, LONGEST, LONGEST], abs=1.0)
    now = play(room, now, LONGEST + 10, 5, lambda pictures: 0.01 * pictures)
    room.lost(now)
    play(room, now, AGAIN + 2, 5, lambda pictures: 0.01 * pictures)
    assert has_room(room)


def test_a_model_that_was_away_has_no_room_at_once() -> None:
    """While frames are lost without tiles, the time until they are tried goes on beginning anew."""
    room = Room()
    now = play(room, 1000.0, 20.0, 5, lambda pictures: 0.01 * pictures)
    for _ in range(100):
        room.lost(now := now + 1.0)
    play(room, now, AGAIN - 1, 5, lambda pictures: 0.01 * pictures)
    assert not has_room(room)


STEPS = st.one_of(
    st.tuples(st.just("asked"), st.integers(1, 7), st.floats(0, 5)),
    st.tuples(st.just("called"), st.integers(1, 64), st.floats(0, 10)),
    st.tuples(st.just("lost"), st.just(0), st.floats(0, 5)),
)


@given(st.lists(STEPS, max_size=200))
def test_whatever_comes_it_never_flaps(steps: list[tuple[str, int, float]]) -> None:
    """However calls, wishes and losses follow each other, it is closed for AGAIN at least before it opens once more."""
    room, now, closed_at = Room(), 1000.0, None
    for what, pictures, seconds in steps:
        was_open = room.is_open
        if what == "called":
            room.called(pictures, seconds)
        else:
            now += seconds
            room.asked(pictures, now) if what == "asked" else room.lost(now)
        assert not (what == "lost" and room.is_open)
        if was_open and not room.is_open:
            closed_at = now
        if room.is_open and not was_open:
            assert closed_at is None or now - closed_at >= AGAIN
        assert room.load >= 0
