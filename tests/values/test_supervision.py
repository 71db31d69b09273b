"""streamer.values.supervision: what lives as long as the service is run again after every end but its owner's."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from streamer.values.ending import heed
from streamer.values.supervision import supervise


async def lives(end: Callable[[], Awaitable[None]]) -> list[str]:
    """What becomes of something that ends twice in that way, and then lives on until it is cancelled."""
    told: list[str] = []
    lived = asyncio.Event()

    async def run() -> None:
        told.append("begins")
        if told.count("begins") > 2:
            lived.set()
            await asyncio.Event().wait()
        await end()

    task = asyncio.create_task(supervise("the clock", run, pause=0, on_restart=lambda: told.append("is told of")))
    await lived.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    return told


async def fails() -> None:
    raise RuntimeError("nobody foresaw this")


async def returns() -> None:
    pass


async def is_cut_off() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize("end", [fails, returns, is_cut_off])
async def test_every_end_is_told_and_logged_and_followed_by_a_new_beginning(
    end: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it raises, returns or is cut off by what it waits for: an end is counted, and logged by name."""
    assert await lives(end) == ["begins", "is told of", "begins", "is told of", "begins"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert all("the clock" in record.getMessage() for record in caplog.records)


async def test_cancelling_ends_it_for_good_and_is_no_restart() -> None:
    """Who owns it ends it, in a pause as in its life."""
    began, told = asyncio.Event(), []

    async def run() -> None:
        began.set()
        raise RuntimeError

    task = asyncio.create_task(supervise("the clock", run, pause=1000, on_restart=lambda: told.append(1)))
    await began.wait()
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert told == [1]


async def test_cancelling_ends_it_though_what_it_runs_fails_of_that() -> None:
    """Whoever waits for the end would wait for ever: what was told to end is never run again."""
    began, told = asyncio.Event(), []

    async def run() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError

    task = asyncio.create_task(supervise("the clock", run, pause=1000, on_restart=lambda: told.append(1)))
    await began.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert told == []


async def test_what_swallows_its_end_ends_at_its_next_beginning() -> None:
    """`heed` is how a task that is told to end learns it where somebody that it called kept that to himself."""
    began, beginnings = asyncio.Event(), 0

    async def swallow() -> None:
        began.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async def run() -> None:
        nonlocal beginnings
        while True:
            heed()
            beginnings += 1
            await swallow()

    task = asyncio.create_task(run())
    await began.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert beginnings == 1
