"""streamer.values.task_group: parts that live together end together, and who is told to end always does."""

import asyncio
import contextlib

import pytest

from streamer.values.errors import SightlineError
from streamer.values.task_group import together


class Parts:
    """Some that wait, and what became of each."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.fail = asyncio.Event()

    async def waiting(self, name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # it takes its time
            self.ended.append(name)

    async def failing(self) -> None:
        await self.fail.wait()
        raise ZeroDivisionError

    async def returning(self) -> None:
        await self.fail.wait()


async def test_the_first_end_ends_all_and_is_raised_when_they_have_ended() -> None:
    """As it is, in no group: whoever runs parts catches what he knows."""
    parts = Parts()
    task = asyncio.create_task(together(parts.waiting("a"), parts.failing(), parts.waiting("b")))
    await asyncio.sleep(0)
    parts.fail.set()
    with pytest.raises(ZeroDivisionError):
        await task
    assert parts.ended == ["a", "b"]


async def test_a_part_that_returns_ends_all() -> None:
    """A part that is over leaves no half behind."""
    parts = Parts()
    parts.fail.set()
    await together(parts.waiting("a"), parts.returning())
    assert parts.ended in ([], ["a"])


async def test_a_part_that_is_cut_off_ends_all() -> None:
    """Cancelled by what it waited for, it is no longer there: that is told."""
    parts = Parts()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def cut_off() -> None:
        await future

    task = asyncio.create_task(together(parts.waiting("a"), cut_off()))
    await asyncio.sleep(0)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 0  # which is how it is told from our own end
    assert parts.ended == ["a"]


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_cancelled_ends_whatever_fails_meanwhile(turns: int) -> None:
    """So many turns after a part began to fail."""
    parts = Parts()

    async def run() -> None:
        while True:
            try:
                await together(parts.waiting("a"), parts.failing())
            except ZeroDivisionError:
                parts.fail.clear()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    parts.fail.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert "a" in parts.ended


async def test_a_failure_leaves_nobody_looking_cancelled() -> None:
    """By that `supervise` tells a life that was cut off, and is run again, from one that was cancelled."""
    parts = Parts()
    parts.fail.set()
    with pytest.raises(ZeroDivisionError):
        await together(parts.failing(), parts.waiting("a"))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_what_was_swallowed_before_it_began_is_heeded() -> None:
    """Parts are tasks of their own, which nobody has told to end."""
    began = False

    async def part() -> None:
        nonlocal began
        began = True

    async def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await together(part())

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert not began


async def test_what_another_part_raises_at_its_end_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What is raised is the first end; of two that lose one connection the second is no news."""

    async def foreseen() -> None:
        raise SightlineError("the connection was lost")

    async def badly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    with pytest.raises(SightlineError):
        await together(foreseen(), foreseen(), badly())
    assert [record.getMessage() for record in caplog.records] == ["a part failed as another ended"]
