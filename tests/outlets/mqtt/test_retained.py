"""What the broker is to hold."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.mqtt.retained import Retained


async def taken(retained: Retained) -> list[tuple[str, bytes]]:
    """All that is untold."""
    found = []
    while True:
        try:
            found.append(await asyncio.wait_for(retained.next(), 0.001))
        except TimeoutError:
            return found


async def test_the_newest_alone_is_told() -> None:
    """However often a topic changes while nobody listens; the same again is no news."""
    retained = Retained()
    for count in range(100):
        retained.put("a", b"%d" % count)
    retained.put("b", b"x")
    assert await taken(retained) == [("a", b"99"), ("b", b"x")]
    retained.put("b", b"x")
    assert await taken(retained) == []
    retained.tell_all_again()
    assert await taken(retained) == [("a", b"99"), ("b", b"x")]


async def test_what_was_dropped_is_forgotten_once_that_is_told() -> None:
    """So topics that come and go do not add up."""
    retained = Retained()
    retained.put("a", b"1")
    retained.drop("a")
    retained.drop("never-there")
    assert await taken(retained) == [("a", b""), ("never-there", b"")]
    assert len(retained) == 0
    retained.tell_all_again()
    assert await taken(retained) == []


async def test_who_waits_is_woken() -> None:
    """By what comes to be told."""
    retained = Retained()
    waiting = asyncio.create_task(retained.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    retained.put("a", b"1")
    assert await waiting == ("a", b"1")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=2), st.booleans())))
def test_whoever_takes_all_that_is_untold_ends_with_what_is_to_be_held(
    changes: list[tuple[str, bytes, bool]],
) -> None:
    """Whenever it is taken in between."""
    retained, held, wanted = Retained(), dict[str, bytes](), dict[str, bytes]()

    async def play() -> None:
        for topic, payload, takes in changes:
            retained.put(topic, payload)
            wanted[topic] = payload
            if takes:
                held.update([await retained.next()] if retained._untold else [])
        while retained._untold:
            held.update([await retained.next()])

    asyncio.run(play())
    assert {topic: payload for topic, payload in held.items() if payload} == {
        topic: payload for topic, payload in wanted.items() if payload
    }


async def test_a_topic_that_changes_while_it_is_told_is_told_again() -> None:
    """What comes between taking and telling is not lost."""
    retained = Retained()
    retained.put("a", b"1")
    assert await retained.next() == ("a", b"1")
    retained.put("a", b"2")
    assert await retained.next() == ("a", b"2")
