"""streamer.access.remembered: what is fetched once for all who need it."""

import asyncio

import pytest

from streamer.access.remembered import LASTS, PAUSE, Remembered
from streamer.values.errors import Refused
from tests.peers.clock import FakeClock


class Counted:
    """Gives 1, 2, 3, … or fails, one turn of the loop later."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    async def __call__(self) -> int:
        self.count += 1
        await asyncio.sleep(0)
        if self.fails:
            raise Refused(503, f"attempt {self.count} failed", {"Retry-After": "5"})
        return self.count


async def test_it_is_fetched_once_for_all_who_wait() -> None:
    """Who comes while it is fetched gets the same."""
    fetch = Counted()
    it = Remembered(fetch, FakeClock())
    assert await asyncio.gather(*(it.get() for _ in range(5))) == [1] * 5


async def test_it_is_fetched_anew_when_it_is_old_or_too_old_for_who_asks() -> None:
    """An hour it lasts; who needs a newer one says so."""
    clock, fetch = FakeClock(), Counted()
    it = Remembered(fetch, clock)
    assert await it.get() == 1
    clock.advance(61.0)
    assert await it.get() == 1
    assert await it.get(60.0) == 2
    assert await it.get(60.0) == 2
    clock.advance(LASTS + 1)
    assert await it.get() == 3


async def test_after_a_failure_all_who_waited_are_told_and_nobody_tries_for_a_while() -> None:
    """One that is away is asked once in five seconds, however many want it."""
    clock, fetch = FakeClock(), Counted()
    fetch.fails = True
    it = Remembered(fetch, clock)
    told = await asyncio.gather(*(it.get() for _ in range(5)), return_exceptions=True)
    assert [str(each) for each in told] == ["attempt 1 failed"] * 5
    assert isinstance(told[-1], Refused)
    assert (told[-1].status, told[-1].headers) == (503, {"Retry-After": "5"})
    clock.advance(PAUSE)
    fetch.fails = False
    assert await it.get() == 2


async def test_an_old_one_is_better_than_none() -> None:
    """While no new one can be had the one of before goes on, and is tried to be renewed now and then."""
    clock, fetch = FakeClock(), Counted()
    it = Remembered(fetch, clock)
    await it.get()
    fetch.fails = True
    clock.advance(LASTS + 1)
    assert [await it.get() for _ in range(3)] == [1] * 3
    assert fetch.count == 2
    clock.advance(PAUSE)
    fetch.fails = False
    assert await it.get() == 3


async def test_who_gives_up_while_it_is_fetched_leaves_it_to_the_next() -> None:
    """A browser that closes does not end it for the others."""
    fetch = Counted()
    it = Remembered(fetch, FakeClock())
    first, second = asyncio.create_task(it.get()), asyncio.create_task(it.get())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == 2
