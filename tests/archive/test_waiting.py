"""Events on their way to the database: bounded, newest state first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.waiting import Entry, Waiting
from streamer.values.event import Picture
from tests.archive.events import NOON, a_picture, an_event

EVENTS = [an_event(NOON + number) for number in range(8)]


def test_a_newer_state_takes_the_place_and_keeps_the_picture() -> None:
    """An update without a picture does not lose the one that waits."""
    waiting, event = Waiting(), EVENTS[0]
    waiting.put(Entry(event, a_picture()))
    waiting.put(Entry(replace(event, score=0.9)))
    (entry,) = waiting.take(10)
    assert entry.event.score == 0.9
    assert entry.picture == a_picture()
    assert waiting.picture_bytes == 0


def test_what_is_put_back_does_not_undo_what_came_meanwhile() -> None:
    """A batch that could not be written goes before newer events, and under newer states."""
    waiting = Waiting()
    waiting.put(Entry(EVENTS[0], a_picture()))
    waiting.put(Entry(EVENTS[1]))
    taken = waiting.take(10)
    waiting.put(Entry(replace(EVENTS[1], score=0.9)))
    waiting.put(Entry(EVENTS[2]))
    waiting.put_back(taken)
    found = waiting.take(10)
    assert [entry.event.id for entry in found] == [EVENTS[0].id, EVENTS[1].id, EVENTS[2].id]
    assert found[0].picture == a_picture()
    assert found[1].event.score == 0.9


def test_pictures_go_before_events() -> None:
    """Where pictures have no room, the oldest is dropped and its event stays."""
    waiting = Waiting(most_picture_bytes=2 * len(a_picture()))
    for event in EVENTS[:3]:
        waiting.put(Entry(event, a_picture()))
    assert [entry.picture is not None for entry in waiting.take(10)] == [False, True, True]
    assert (waiting.lost, waiting.pictures_lost) == (0, 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 7), st.integers(0, 40)),
        st.tuples(st.just("take"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("fail"), st.integers(1, 4), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_nothing_is_held_beyond_the_bounds_and_nothing_vanishes_uncounted(steps: list[tuple[str, int, int]]) -> None:
    """Whatever comes and fails: bounds hold, bytes are counted right, and put = taken + waiting + lost."""
    waiting, ever, taken = Waiting(4, 100), set(), 0
    for kind, number, size in steps:
        if kind == "put":
            ever.add(number)
            waiting.put(Entry(EVENTS[number], Picture(b"x" * size, b"") if size else None))
        elif kind == "take":
            batch = waiting.take(number)
            taken += len(batch)
            ever -= {EVENTS.index(entry.event) for entry in batch}
        else:
            waiting.put_back(waiting.take(number))
        assert len(waiting) <= 4
        assert 0 <= waiting.picture_bytes <= 100
    left = waiting.take(100)
    assert {EVENTS.index(entry.event) for entry in left} <= ever
    assert len(left) + waiting.lost >= len(ever)
    assert waiting.picture_bytes == 0
