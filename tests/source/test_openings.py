"""streamer.source.openings: how many sources may be opening at once."""

import asyncio

import pytest

from streamer.source import openings
from streamer.source.openings import Openings


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


async def test_a_camera_is_vacated_when_what_was_left_there_is_closed() -> None:
    """Who comes to a camera waits for a connection that another stream gave up there, and for none elsewhere."""
    shared, ended = Openings(), asyncio.get_running_loop().create_future()
    shared.leave("rtsp://camera/", ended)
    async with asyncio.timeout(30):
        await shared.vacated("rtsp://other/", patience=1000)
        waiting = asyncio.create_task(shared.vacated("rtsp://camera/", patience=1000))
        await asyncio.sleep(0)
        assert not waiting.done()
        ended.set_result(None)
        await waiting
        await shared.vacated("rtsp://camera/", patience=1000)
    assert shared._left == {}


async def test_one_connection_is_waited_for_so_long_and_two_for_ever() -> None:
    """A connection that does not close gets a second one beside it, and two of them no third."""
    shared, loop = Openings(), asyncio.get_running_loop()
    one, other = loop.create_future(), loop.create_future()
    shared.leave("rtsp://camera/", one)
    async with asyncio.timeout(30):
        await shared.vacated("rtsp://camera/", patience=0.01)
    shared.leave("rtsp://camera/", other)
    waiting = asyncio.create_task(shared.vacated("rtsp://camera/", patience=0.01))
    await asyncio.sleep(0)
    shared.leave("rtsp://other/", loop.create_future())
    async with asyncio.timeout(30):
        await shared.vacated("rtsp://other/", patience=0.01)  # as patient, and begun later
    assert not waiting.done()
    one.set_result(None)
    async with asyncio.timeout(30):
        await waiting
    assert not other.done()


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
