"""Bounded buffers between two who go at their own pace: the newest wins, and what is dropped is counted."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from streamer.values.mishaps import Mishaps

T = TypeVar("T")


class Buffer(Generic[T]):
    """A bounded buffer for one asyncio taker. Putting never waits; a full buffer drops its oldest item."""

    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque()
        self._size = size
        self._filled = asyncio.Event()
        self.dropped = 0
        """Items lost because the taker was late."""

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add the newest item, dropping the oldest where there is no room."""
        if len(self._items) >= self._size:
            self._items.popleft()
            self.dropped += 1
        self._items.append(item)
        self._filled.set()

    def clear(self) -> None:
        """Drop everything that waits."""
        self.dropped += len(self._items)
        self._items.clear()
        self._filled.clear()

    async def take(self) -> T:
        """Wait for the oldest item still here."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()


class Mailbox(Generic[T]):
    """Carries items from one thread to the event loop, bounded, in order.

    `loop.call_soon_threadsafe` alone is an unbounded queue: a loop busy for two seconds would find sixty frames of
    each camera waiting, every one older than the last is worth.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[T], None], size: int, mishaps: Mishaps
    ) -> None:
        """Begin empty.

        Args:
            loop: where items are delivered.
            deliver: takes one. What it raises is one of the `mishaps`; those behind it are still delivered.
            size: items that may wait.
            mishaps: of delivering.
        """
        self.loop = loop
        self._deliver, self._mishaps = deliver, mishaps
        self._items: deque[T] = deque()
        self._size = size
        self._lock = threading.Lock()
        self._scheduled = False

    def put(self, item: T) -> T | None:
        """Hand over from any thread; returns the item dropped for it, because the loop was late.

        A loop that is gone loses items silently, for nobody is left to want them.
        """
        with self._lock:
            lost = self._items.popleft() if len(self._items) >= self._size else None
            self._items.append(item)
            if self._scheduled:
                return lost
            self._scheduled = True
        try:
            self.loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop is closed: the process is stopping
            with self._lock:
                self._items.clear()
        return lost

    def _drain(self) -> None:
        with self._lock:
            items, self._items = self._items, deque()
            self._scheduled = False
        for item in items:
            with self._mishaps:
                self._deliver(item)
