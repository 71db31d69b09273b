"""How often something happens, over the last few seconds. Pure."""

from collections import deque

WINDOW = 3.0
"""Seconds looked back, unless another is given."""


class Rate:
    """Events a second."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._events: deque[tuple[float, float, int]] = deque(maxlen=512)
        """(when it was noticed, when it happened, how many had by then)."""
        self._count = 0
        self._known = False

    def add(self, now: float, happened: float | None = None, count: int = 1) -> None:
        """An event was noticed at `now`, in monotonic seconds; or several, of which nothing is known but the last.

        `happened` is its own time, on any clock, where the two differ: frames that waited in a buffer arrive in a
        burst, and are no more a second for that.
        """
        self._count += count
        self._events.append((now, now if happened is None else happened, self._count))

    def at(self, now: float) -> float | None:
        """Events a second up to `now`; None before two of them, 0 when they stopped."""
        while self._events and self._events[0][0] < now - self._window:
            self._events.popleft()
        if len(self._events) < 2:
            return 0.0 if self._known else None
        span = self._events[-1][1] - self._events[0][1]
        if span <= 0:
            return None
        self._known = True
        return (self._events[-1][2] - self._events[0][2]) / span
