"""Whether a model has the time for tiles that nobody insists on: `tiles: auto`. A decision, pure.

Asked is how long it would be busy in each second if every stream that wishes had its tiles. It is measured as calls are
answered, and the first loss of a frame takes the tiles away: no camera loses a result for them twice in a row.
"""

import math
from typing import Final

from streamer.inference.run_times import NEW, RunTime

OPENS, CLOSES = 0.6, 0.85
"""Of each second that one call after the other would take: up to the one there is room, from the other on no longer."""
SETTLES: Final = 3.0
"""Seconds over which wishes are counted; three times as long nothing is decided, as too few were heard."""
AGAIN, LONGEST = 30.0, 600.0
"""Seconds until tiles are tried again: twice as long each time, as long as that at the most."""


class Room:
    """Of one model."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether samples may have the tiles they wish for."""
        self._calls = RunTime()
        self._wished = 0.0
        """Pictures a second, if every wish were met."""
        self._pictures = 1.0
        """Of a sample then, on average."""
        self._first_at: float | None = None
        self._heard_at = self._opened_at = 0.0
        self._pause = AGAIN / 2
        self._closed_until = -math.inf

    def called(self, pictures: int, seconds: float) -> None:
        """A call about so many pictures was answered after so long."""
        self._calls.add(pictures, seconds)

    def asked(self, pictures: int, now: float) -> None:
        """A frame came at `now`, monotonic, that would be so many pictures if its wish were met."""
        if self._first_at is None:
            self._first_at = self._heard_at = now
        now = max(now, self._heard_at)  # frames of several cameras, each of which waited a little
        self._wished = self._wished * math.exp((self._heard_at - now) / SETTLES) + pictures / SETTLES
        self._pictures += NEW * (pictures - self._pictures)
        self._heard_at = now
        if self.is_open and self.load > CLOSES:
            self._close(now)
        elif not self.is_open and now >= max(self._first_at + 3 * SETTLES, self._closed_until) and self.load <= OPENS:
            self.is_open, self._opened_at = True, now

    def lost(self, now: float) -> None:
        """A frame that came at `now` had no answer in time."""
        if self.is_open:
            self._close(now)
        else:
            self._closed_until = max(self._closed_until, now + AGAIN)

    @property
    def load(self) -> float:
        """Of each second that calls would take, one after the other; infinite before one was answered."""
        return self._wished / self._pictures * self._calls.seconds(self._pictures) if self._calls else math.inf

    def _close(self, now: float) -> None:
        self._pause = AGAIN if now - self._opened_at > LONGEST else min(2 * self._pause, LONGEST)
        self.is_open, self._closed_until = False, now + self._pause
