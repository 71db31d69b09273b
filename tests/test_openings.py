"""streamer.openings: how many sources may be opening at once."""

import asyncio

import pytest

from streamer import openings
from streamer.openings import Openings


async def test_so_many_open_at_once_and_the_others_in_their_order() -> None:
    """Sources get turns as others are done, first come first served, never more at once than allowed."""
    shared, opening, order = Openings(at_once=2), 0, list[int]()

    async def source(number: int) -> None:
        nonlocal opening
        turn = await shared.turn()
        opening += 1
        assert opening <= 2
        order.append(number)
        await asyncio.sleep(0.01)
        opening -= 1
        turn.done()
        turn.done()

    await asyncio.gather(*(source(number) for number in range(10)))
    assert order == list(range(10))


async def test_one_that_takes_long_lets_the_next_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that does not answer holds its turn for a while, not for as long as it is tried."""
    monkeypatch.setattr(openings, "PATIENCE", 0.01)
    shared = Openings(at_once=1)
    late = await shared.turn()
    async with asyncio.timeout(30):
        turn = await shared.turn()
    late.done()
    turn.done()
    async with asyncio.timeout(30):
        (await shared.turn()).done()
