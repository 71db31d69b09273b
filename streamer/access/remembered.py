"""Something that is fetched when somebody needs it, once for all who do, and remembered for a while."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from streamer.values.clock import Clock
from streamer.values.errors import Refused

LASTS = 3600.0
"""Seconds until it is fetched anew."""
PAUSE = 5.0
"""Seconds after a failure in which nobody tries again: who waited meanwhile is told what came of it."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """One such thing."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock) -> None:
        """Fetch nothing yet.

        Args:
            fetch: makes it, or raises Refused; in a time that is bounded.
            clock: monotonic seconds.
        """
        self._fetch, self._clock = fetch, clock
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._fetched_at = -math.inf
        self._failure: Refused | None = None
        self._failed_at = -math.inf

    async def get(self, at_most: float = LASTS) -> T:
        """It, of the last `at_most` seconds; or an older one where no new one can be had.

        Raises:
            Refused: there is none, as `fetch` raises it.
        """
        async with self._lock:
            now = self._clock()
            if self._value is not None and (now - self._fetched_at <= at_most or now - self._failed_at < PAUSE):
                return self._value
            if self._failure is not None and now - self._failed_at < PAUSE:
                raise Refused(self._failure.status, str(self._failure), self._failure.headers)
            try:
                self._value, self._failure = await self._fetch(), None
            except Refused as error:
                self._failure, self._failed_at = error, self._clock()
                if self._value is None:
                    raise
            else:
                self._fetched_at = self._clock()
            return self._value
