"""How often something happens, over the last few seconds. Pure."""

from collections import deque

WINDOW = 3.0
"""Seconds looked back."""


class Rate:
    """Events a second."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=512)
        self._known = False

    def add(self, now: float) -> None:
        """An event happened at `now`, in monotonic seconds."""
        self._times.append(now)

    def at(self, now: float) -> float | None:
        """Events a second up to `now`; None before two of them, 0 when they stopped."""
        while self._times and self._times[0] < now - WINDOW:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0 if self._known else None
        self._known = True
        span = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / span if span > 0 else None
