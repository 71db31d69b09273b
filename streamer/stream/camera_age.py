"""How old a picture was when it came, by its camera's own clock: believed only where that clock can be ours. Pure.

A camera's clock that is set by the same time servers as ours agrees with it to some milliseconds; one that is not is
off by anything. What cannot be is left out, and what cannot be told from the truth, a clock that is off by less than a
second, is in: docs/latency.md says so.
"""

LEAST, MOST = -0.05, 2.0
"""Seconds: no picture comes before it is taken, but for clocks that are off by so much; and none that is seen live is
older."""
STEADY = 0.1
"""Seconds by which the youngest of a window may be older or younger than that of the one before: a line may be slow at
times, and the youngest is what it takes where it is not."""
WINDOW = 10
"""Pictures. Two windows that agree are believed."""


class CameraAge:
    """Of one stream."""

    def __init__(self) -> None:
        self._youngest: float | None = None
        """Of the window before."""
        self._floor, self._seen = MOST, 0
        self._believed = False

    def take(self, age: float) -> float | None:
        """The age of the next picture, in seconds, where it is to be believed; never negative."""
        if not LEAST <= age <= MOST:
            self._youngest, self._floor, self._seen, self._believed = None, MOST, 0, False
            return None
        self._floor = min(self._floor, age)
        self._seen += 1
        if self._seen == WINDOW:
            self._believed = self._youngest is not None and abs(self._floor - self._youngest) <= STEADY
            self._youngest, self._floor, self._seen = self._floor, MOST, 0
        return max(0.0, age) if self._believed else None
