"""How many sources may be opening at once: cameras that come back together are not asked all in one moment."""

import asyncio

AT_ONCE = 4
PATIENCE = 1.5
"""Seconds after which an opening no longer counts: a camera that is away must not keep out those that are there."""


class Turn:
    """The right to open, taken by one source."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots: asyncio.Semaphore | None = slots
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self.done)

    def done(self) -> None:
        """It is open, or has failed. May be called twice."""
        self._timer.cancel()
        if self._slots is not None:
            self._slots.release()
            self._slots = None


class Openings:
    """Shared by all sources of a service; they get their turns in the order in which they ask."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._slots = asyncio.Semaphore(at_once)

    async def turn(self) -> Turn:
        """Wait for a turn."""
        await self._slots.acquire()
        return Turn(self._slots)
