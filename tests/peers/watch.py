"""A source that runs, and what came of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np

from streamer.source import Source
from streamer.source.openings import Openings
from streamer.source.target import Target
from streamer.values.frame import Frame
from streamer.values.url import redact
from tests.peers.clip import read_index

PATIENCE_S = 60.0
"""How long anything may take on a loaded machine. No test passes by it: each waits for a condition."""


class Watch:
    """A running source; `run_watch` makes one."""

    def __init__(self, target: Target, name: str, openings: Openings | None) -> None:
        self.frames: list[Frame] = []
        """What came, pictures included: watch for seconds, not for minutes."""
        self.source = Source(name, target, clock=time.monotonic, redact=redact, openings=openings)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition, looking fifty times a second.

        Raises:
            AssertionError: it did not come true in time; says `what` and how the source is.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            source = self.source
            state = f"{source.state} ({source.error}: {source.reason}), {len(self.frames)} frames, {source.reconnects}"
            assert time.monotonic() < deadline, f"{what}: {state}"
            await asyncio.sleep(0.02)

    async def more(self, count: int) -> list[Frame]:
        """The next `count` frames from now on."""
        known = len(self.frames)
        await self.until(lambda: len(self.frames) >= known + count, f"{count} more frames")
        return self.frames[known : known + count]

    async def have_ended(self, word: str, times: int = 1) -> None:
        """Wait until so many attempts have ended with that word, whatever has come of those after them."""
        await self.until(lambda: self.source.reconnects.get(word, 0) >= times, word)  # type: ignore[call-overload]

    async def ended(self, word: str) -> str:
        """Wait until an attempt has ended with that word, and the next is still to be; gives the sentence."""
        await self.have_ended(word)
        await self.until(lambda: self.source.error == word, f"the state says {word}")
        return str(self.source.reason)


def numbers(frames: list[Frame]) -> list[int]:
    """The numbers that stand in the pictures of a clip."""
    return [read_index(np.asarray(frame.picture.to_ndarray(format="rgb24"))) for frame in frames]


@asynccontextmanager
async def run_watch(target: Target, *, name: str = "x", openings: Openings | None = None) -> AsyncIterator[Watch]:
    """Run a source for as long as the block lasts."""
    watch = Watch(target, name, openings)
    task = asyncio.create_task(watch.source.run(watch.frames.append))
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
