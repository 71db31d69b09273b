"""Runs something while it is open, and anew when it is turned: how a stream is paused, and sees another camera."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Flow = Callable[[], Coroutine[Any, Any, None]]
"""What is run; it ends when it is cancelled."""


class Valve:
    """To be turned on the event loop."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self._turned = asyncio.Event()
        self._still = asyncio.Event()
        self._still.set()

    def open(self) -> None:
        """Let it run, anew where it runs already."""
        self.is_open = True
        self._turned.set()

    async def close(self) -> None:
        """End it until the next `open`; when this returns it has ended."""
        self.is_open = False
        self._turned.set()
        await self._still.wait()

    async def run(self, flow: Flow) -> None:
        """Do as the valve is turned, until cancelled; a failure of `flow` is raised here."""
        while True:
            self._turned.clear()
            if self.is_open:
                await self._until_turned(flow)
            else:
                await self._turned.wait()

    async def _until_turned(self, flow: Flow) -> None:
        self._still.clear()
        flowing, turned = asyncio.create_task(flow()), asyncio.create_task(self._turned.wait())
        try:
            await asyncio.wait({flowing, turned}, return_when=asyncio.FIRST_COMPLETED)
            if flowing.done():
                flowing.result()
                await turned  # it had nothing more to do
        finally:
            for task in (flowing, turned):
                task.cancel()
            await asyncio.gather(flowing, turned, return_exceptions=True)
            self._still.set()
