"""streamer.stream.valve: what runs while it is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamer.stream.valve import Valve


class Flow:
    """Counts how often it was begun, and how many of it run."""

    def __init__(self) -> None:
        self.begun = self.running = 0
        self.failure: Exception | None = None
        self.ends = False

    async def __call__(self) -> None:
        self.begun += 1
        if self.failure is not None:
            raise self.failure
        if self.ends:
            return
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # an end takes its time
            self.running -= 1


@asynccontextmanager
async def running(valve: Valve, flow: Flow) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a flow through a valve for as long as the block lasts."""
    task = asyncio.create_task(valve.run(flow))
    await settle()
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def settle() -> None:
    """Let every task do what it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_runs_while_open() -> None:
    """Closed, the flow has ended when `close` returns; opened, it is begun again."""
    valve, flow = Valve(), Flow()
    async with running(valve, flow):
        assert (flow.begun, flow.running) == (1, 1)
        await valve.close()
        assert (flow.begun, flow.running, valve.is_open) == (1, 0, False)
        await settle()
        assert flow.begun == 1
        valve.open()
        await settle()
        assert (flow.begun, flow.running, valve.is_open) == (2, 1, True)
    assert flow.running == 0


async def test_opening_an_open_one_begins_anew() -> None:
    """`open` ends a flow that runs and begins another; there are never two."""
    valve, flow = Valve(), Flow()
    async with running(valve, flow):
        valve.open()
        await settle()
        assert (flow.begun, flow.running) == (2, 1)


async def test_closed_before_it_runs_it_never_begins() -> None:
    """A valve that is closed before it is run lets nothing run."""
    valve, flow = Valve(), Flow()
    await valve.close()
    async with running(valve, flow):
        assert flow.begun == 0


async def test_a_failure_is_raised_and_the_valve_stays_as_it_is() -> None:
    """What the flow raises, `run` raises; a second `run` goes on as the valve was turned."""
    valve, flow = Valve(), Flow()
    flow.failure = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        await valve.run(flow)
    flow.failure = None
    async with running(valve, flow):
        assert flow.running == 1


async def test_a_flow_that_has_ended_is_not_begun_again() -> None:
    """A flow that returns by itself is begun again only when the valve is turned."""
    valve, flow = Valve(), Flow()
    flow.ends = True
    async with running(valve, flow):
        await settle()
        assert flow.begun == 1
        valve.open()
        await settle()
        assert flow.begun == 2
