"""streamer.view.fanout: one encoded stream for any number of takers."""

import asyncio
import random
from itertools import pairwise

import pytest

from streamer.values.packet import EncodedPacket
from streamer.view.fanout import KEYFRAME_INTERVAL, FanOut, Subscription
from tests.peers.clock import FakeClock


def packet(number: int, *, key: bool = False) -> EncodedPacket:
    """A packet that is known by its pts."""
    return EncodedPacket(b"", number, key)


async def take_all(subscription: Subscription) -> list[int]:
    """The pts of everything that waits."""
    found = list[int]()
    while True:
        taking = asyncio.create_task(subscription.take())
        await asyncio.sleep(0)
        if not taking.done():
            taking.cancel()
            return found
        found.append(taking.result().pts)


async def test_a_taker_begins_at_a_keyframe() -> None:
    """Packets before the first keyframe are not for a new taker; from it on every one is."""
    fan_out = FanOut(clock=FakeClock())
    early = fan_out.subscribe()
    fan_out.publish(packet(0, key=True))
    late = fan_out.subscribe()
    for number in range(1, 4):
        fan_out.publish(packet(number))
    fan_out.publish(packet(4, key=True))
    fan_out.publish(packet(5))
    assert await take_all(early) == [0, 1, 2, 3, 4, 5]
    assert await take_all(late) == [4, 5]
    assert fan_out.keyframes == 2


async def test_a_slow_taker_goes_on_at_the_next_keyframe() -> None:
    """A taker behind by its whole buffer loses everything up to the next keyframe, which it asks for."""
    clock = FakeClock()
    fan_out = FanOut(clock=clock, buffered=5)
    slow = fan_out.subscribe()
    fan_out.publish(packet(0, key=True))
    clock.advance(1.0)
    for number in range(1, 5):
        fan_out.publish(packet(number))
    assert not fan_out.keyframe_due()
    fan_out.publish(packet(5))
    assert fan_out.keyframe_due()
    fan_out.publish(packet(6))
    assert await take_all(slow) == []
    fan_out.publish(packet(7, key=True))
    fan_out.publish(packet(8))
    assert await take_all(slow) == [7, 8]


async def test_what_a_slow_taker_lost_is_counted() -> None:
    """Taken and dropped are together every packet from the taker's first keyframe on."""
    fan_out = FanOut(clock=FakeClock(), buffered=5)
    slow = fan_out.subscribe()
    taken = []
    for number in range(100):
        fan_out.publish(packet(number, key=number % 20 == 0))
        if number % 30 == 29:
            taken += await take_all(slow)
    taken += await take_all(slow)
    assert slow.dropped > 0
    assert len(taken) + slow.dropped == 100


async def test_one_slow_taker_is_nobody_elses_business() -> None:
    """While one taker sleeps, another gets every packet."""
    fan_out = FanOut(clock=FakeClock(), buffered=5)
    slow, quick = fan_out.subscribe(), fan_out.subscribe()
    found = []
    for number in range(1000):
        fan_out.publish(packet(number, key=number % 50 == 0))
        found += await take_all(quick)
    assert found == list(range(1000))
    assert quick.dropped == 0
    assert len(await take_all(slow)) <= 5


async def test_no_taker_ever_sees_a_gap_without_a_keyframe() -> None:
    """Whatever the pace of takers, what each takes is unbroken but for gaps that end at a keyframe."""
    dice = random.Random(3)
    fan_out = FanOut(clock=FakeClock(), buffered=6)
    takers = [fan_out.subscribe() for _ in range(4)]
    taken: list[list[int]] = [[] for _ in takers]
    keys = set()
    for number in range(3000):
        if dice.random() < 0.05:
            keys.add(number)
        fan_out.publish(packet(number, key=number in keys))
        for taker, found in zip(takers, taken, strict=True):
            if dice.random() < 0.15:
                found += await take_all(taker)
    for found in taken:
        assert len(found) > 300
        assert found[0] in keys
        assert all(after == before + 1 or after in keys for before, after in pairwise(found))
        assert found == sorted(set(found))


async def test_a_buffer_of_one_holds_the_newest_picture() -> None:
    """With room for one and every packet a keyframe, as JPEGs are, a taker gets the newest picture."""
    fan_out = FanOut(clock=FakeClock(), buffered=1)
    taker = fan_out.subscribe()
    for number in range(10):
        fan_out.publish(packet(number, key=True))
    assert await take_all(taker) == [9]
    assert taker.dropped == 9


def test_keyframes_on_request_are_throttled() -> None:
    """However often keyframes are asked for, they are due at most once a second, and none is due unasked."""
    clock = FakeClock()
    fan_out = FanOut(clock=clock)
    assert not fan_out.keyframe_due()
    due = []
    for number in range(300):
        fan_out.request_keyframe()
        key = fan_out.keyframe_due()
        if key:
            due.append(clock.now)
        fan_out.publish(packet(number, key=key))
        clock.advance(1 / 60)
    assert due[0] == 1000.0
    assert len(due) == pytest.approx(300 / 60 / KEYFRAME_INTERVAL, abs=1)
    assert min(after - before for before, after in pairwise(due)) >= KEYFRAME_INTERVAL


def test_a_request_within_the_pause_is_not_forgotten() -> None:
    """A keyframe asked for too early is due as soon as the pause is over, and once."""
    clock = FakeClock()
    fan_out = FanOut(clock=clock)
    fan_out.publish(packet(0, key=True))
    fan_out.request_keyframe()
    assert not fan_out.keyframe_due()
    clock.advance(KEYFRAME_INTERVAL)
    assert fan_out.keyframe_due()
    fan_out.publish(packet(1, key=True))
    clock.advance(60)
    assert not fan_out.keyframe_due()


def test_joining_asks_for_a_keyframe() -> None:
    """A new taker need not wait for the clock: the next picture is due as a keyframe."""
    fan_out = FanOut(clock=FakeClock())
    fan_out.subscribe()
    assert fan_out.keyframe_due()


async def test_leaving_may_happen_twice() -> None:
    """A taker that left gets nothing more, and leaving again is no failure."""
    fan_out = FanOut(clock=FakeClock())
    taker = fan_out.subscribe()
    fan_out.unsubscribe(taker)
    fan_out.unsubscribe(taker)
    assert len(fan_out) == 0
    fan_out.publish(packet(0, key=True))
    assert await take_all(taker) == []
