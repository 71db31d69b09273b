"""Commands, as they are obeyed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamer.outlets.mqtt.commands import MOST_WAITING, Commands
from streamer.outlets.mqtt.remarks import PAUSE
from streamer.outlets.mqtt.topics import Topics
from streamer.values.errors import Refused
from tests.outlets.mqtt.told import Obeyed
from tests.peers.clock import FakeClock
from tests.peers.until import until

PAUSE_A = ("s/streams/a/command", b"pause", False)


class Unwilling(Obeyed):
    """Pauses nothing, and breaks at what it is to resume."""

    async def pause(self, stream: str) -> None:
        raise Refused(404, f"there is no stream {stream!r}")

    async def resume(self, stream: str) -> None:
        raise RuntimeError("broken")


@asynccontextmanager
async def obeying(commands: Commands) -> AsyncIterator[None]:
    """For as long as the block lasts."""
    task = asyncio.create_task(commands.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_cannot_be_obeyed_is_counted_and_the_next_is(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the one before came to."""
    orders = Unwilling()
    commands = Commands(Topics("s"), orders, FakeClock())
    async with obeying(commands):
        commands.put(*PAUSE_A)
        commands.put("s/streams/a/command", b"resume", False)
        commands.put("s/streams/a/command", b"snooze 5", False)
        await until(lambda: orders.orders)
    assert orders.orders == [("snooze", 5.0, None, "a")]
    assert commands.ignored == 1
    assert "pause a: there is no stream 'a'" in caplog.text
    assert "resume a failed in a way nobody foresaw" in caplog.text


async def test_a_flood_of_commands_is_bounded_and_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Each is counted; what somebody else writes into the log stays short, and on one line."""
    clock = FakeClock()
    commands = Commands(Topics("s"), Obeyed(), clock)
    for _ in range(MOST_WAITING + 1000):
        commands.put(*PAUSE_A)
    commands.put(f"s/streams/a\nforged {'a' * 70_000}/command", b"pause", False)
    assert commands.ignored == 1001
    assert len(caplog.records) == 1
    clock.advance(PAUSE)
    commands.put(f"s/streams/a\nforged {'a' * 70_000}/command", b"pause", False)
    assert len(caplog.records) == 2
    assert "1000 more since this was last said" in caplog.text
    assert all("\n" not in record.getMessage() and len(record.getMessage()) < 500 for record in caplog.records)
