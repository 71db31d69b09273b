"""streamer.values.ending: what fails at its end is said, and holds up nothing."""

import asyncio

import pytest

from streamer.values.ending import ended


async def test_a_failure_at_the_end_is_logged_by_name_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    """One of three ends badly: its name and its failure are in the log, and the two others have come to their ends."""
    told: list[str] = []

    async def close(name: str) -> None:
        await asyncio.sleep(0)
        if name == "b":
            raise ZeroDivisionError
        told.append(name)

    await ended("stream porch", *(close(name) for name in "abc"))
    assert told == ["a", "c"]
    [record] = caplog.records
    assert "stream porch" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_to_be_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A task that ends by being cancelled is not spoken of, also where whoever waits for it was cancelled before."""
    waiting = asyncio.Event()
    ends: list[str] = []

    async def own() -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            task.cancel()
            await ended("the task", task)
            ends.append("all of it")

    owner = asyncio.create_task(own())
    await waiting.wait()
    owner.cancel()
    await asyncio.gather(owner, return_exceptions=True)
    assert ends == ["all of it"]
    assert caplog.records == []
