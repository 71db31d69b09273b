"""How long to wait before the next attempt to open a source. Pure but for the dice, which are given."""

from collections.abc import Callable

EAGER = 30.0
"""Seconds of an outage during which every second is tried: most cameras are back by then."""
EAGER_PAUSE = 1.0
MAX_PAUSE = 30.0
LOCKOUT_PAUSE = 60.0
"""Seconds between attempts with a refused password: many cameras lock an account out after a few."""
JITTER = 0.2
"""Share of the pause that is random, so that cameras which failed together do not return together."""


class Backoff:
    """The pauses of one source's outage."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failing_since: float | None = None
        self._pause = EAGER_PAUSE

    def delivered(self) -> None:
        """The source gave a frame: the outage is over."""
        self._failing_since = None
        self._pause = EAGER_PAUSE

    def failed(self, now: float, *, locked_out: bool = False) -> float:
        """Seconds to wait after an attempt that failed at `now`."""
        if self._failing_since is None:
            self._failing_since = now
        if locked_out:
            pause = LOCKOUT_PAUSE
        elif now - self._failing_since < EAGER:
            pause = EAGER_PAUSE
        else:
            self._pause = min(self._pause * 2, MAX_PAUSE)
            pause = self._pause
        return pause * (1 - JITTER * self._random())
