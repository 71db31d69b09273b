"""When a source may open: cameras that come back together are not asked all in one moment, nor one of them by two."""

import asyncio
from typing import Any

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
        self._left: dict[str, set[asyncio.Future[Any]]] = {}
        """By camera, the ends of connections that were given up and are not closed yet."""

    async def turn(self) -> Turn:
        """Wait for a turn."""
        await self._slots.acquire()
        return Turn(self._slots)

    def leave(self, camera: str, ended: asyncio.Future[Any]) -> None:
        """Note that a connection to a camera was given up, by whichever stream, and is closed when `ended` is done."""
        left = self._left.setdefault(camera, set())
        left.add(ended)

        def closed(_: asyncio.Future[Any]) -> None:
            left.discard(ended)
            if not left and self._left.get(camera) is left:
                del self._left[camera]

        ended.add_done_callback(closed)

    async def vacated(self, camera: str, *, patience: float) -> None:
        """Wait until connections to a camera that were given up are closed: for one only so many seconds."""
        while left := set(self._left.get(camera, ())):
            patient = patience if len(left) == 1 else None
            await asyncio.wait(left, timeout=patient, return_when=asyncio.FIRST_COMPLETED)
            if patient is not None:
                return
