"""streamer.inference.batcher: which frames go to the model, as it was before."""

from collections import Counter
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.batcher import Batcher
from streamer.inference.discipline import Call
from tests.peers.slots import make_slot


def taken(batcher: Batcher, now: float = 1000.0) -> list[str]:
    """Whose frames the next call holds, which is over at once."""
    call, _ = batcher.take(now)
    return [] if call is None else ended(batcher, call, now)


def ended(batcher: Batcher, call: Call, now: float) -> list[str]:
    """Whose frames a call held."""
    batcher.end(call, now, is_measure=True)
    return [slot.stream for slot in call.slots]


def make_batcher(max_batch_size: int, deadline: float = 1.0) -> Batcher:
    """One with two calls at a time."""
    return Batcher(max_batch_size=max_batch_size, in_flight=2, deadline=deadline)


def test_newest_slot_of_a_stream_wins() -> None:
    """A newer slot supersedes the stream's older one."""
    batcher = make_batcher(4)
    slots = [make_slot("a", index) for index in range(3)]
    assert [batcher.put(slot) for slot in slots] == [None, (slots[0], "superseded"), (slots[1], "superseded")]
    call, _ = batcher.take(1000.0)
    assert call is not None
    assert call.slots == [slots[2]]


def test_first_come_first_served_across_streams() -> None:
    """Streams are served in the order they came, and superseding its own slot does not cost a stream its place."""
    batcher = make_batcher(2)
    for stream in ("b", "a", "c", "b"):
        batcher.put(make_slot(stream))
    assert taken(batcher) == ["b", "a"]
    batcher.put(make_slot("a", 1))
    assert [taken(batcher), taken(batcher)] == [["c", "a"], []]


def test_slots_that_waited_too_long_are_not_asked_about() -> None:
    """A frame older than the deadline is late; one exactly as old as it is still asked about."""
    batcher = make_batcher(4, deadline=0.5)
    for stream, received_at in {"old": 1000.0, "just": 1000.25, "fresh": 1000.5}.items():
        batcher.put(make_slot(stream, received_at=received_at))
    call, over = batcher.take(1000.75)
    assert [(slot.stream, reason) for slot, reason in over] == [("old", "late")]
    assert call is not None
    assert ended(batcher, call, 1000.75) == ["just", "fresh"]


def test_no_stream_is_crowded_out() -> None:
    """With 20 busy streams and batches of 4, every stream is served once in five batches."""
    batcher, served = make_batcher(4), Counter[str]()
    for turn in range(100):
        for stream in range(20):
            batcher.put(make_slot(f"s{stream}", turn))
        served.update(taken(batcher))
    assert set(served.values()) == {20}


def test_a_sample_weighs_as_many_pictures_as_it_has() -> None:
    """A batch has no more pictures than a call may carry, or else is one sample; nobody overtakes what does not fit."""
    batcher = make_batcher(8)
    for stream, pictures in {"a": 1, "b": 5, "c": 5, "d": 1, "e": 1, "f": 7, "g": 1, "h": 9, "i": 1}.items():
        batcher.put(make_slot(stream, pictures=pictures))
    assert [taken(batcher) for _ in range(6)] == [["a", "b"], ["c", "d", "e"], ["f", "g"], ["h"], ["i"], []]


Event = tuple[Literal["put", "take"], int, float]
"""A slot of a stream whose frame arrived some seconds ago; or a batch of so many at most, some seconds later."""

PUTS = st.tuples(st.just("put"), st.integers(0, 5), st.floats(0, 0.5))
TAKES = st.tuples(st.just("take"), st.integers(1, 5), st.floats(0, 0.3))


@given(st.lists(st.one_of(PUTS, TAKES), max_size=60))
def test_any_order_of_events_ends_each_slot_once(events: list[Event]) -> None:
    """However slots come and go, each is taken, superseded or late, once, or waits; first come, first served."""
    batcher, now, put = make_batcher(3, deadline=0.3), 1000.0, 0
    over = list[int]()
    line: dict[str, float] = {}  # the streams that wait, in turn, and when the frame of each arrived
    for kind, number, seconds in events:
        if kind == "put":
            line[f"s{number}"] = now - seconds
            told = batcher.put(make_slot(f"s{number}", put, now - seconds))
            over += [] if told is None else [told[0].frame.index]
            put += 1
        else:
            now += seconds
            batcher.max_batch_size = number
            call, late = batcher.take(now)
            over += [slot.frame.index for slot, _ in late]
            line = {stream: arrived for stream, arrived in line.items() if now - arrived <= batcher.deadline}
            slots = [] if call is None else list(call.slots)
            if call is not None:
                batcher.end(call, now, is_measure=True)
            assert [slot.stream for slot in slots] == list(line)[:number]
            over += [slot.frame.index for slot in slots]
            line = dict(list(line.items())[number:])
        assert len(batcher) == len(line)
    assert sorted(over + [slot.frame.index for slot in batcher.clear()]) == list(range(put))
