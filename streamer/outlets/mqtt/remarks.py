"""What others may bring about as often as they like: all of it counted, and little of it said."""

import logging

from streamer.values.clock import Clock

log = logging.getLogger(__name__)

PAUSE = 60.0
"""Seconds from one word to the next."""


class Remarks:
    """About one kind of thing."""

    def __init__(self, what: str, clock: Clock) -> None:
        """Have none to make.

        Args:
            what: it is, for the log, such as "a command was ignored".
            clock: monotonic seconds.
        """
        self.count = 0
        self._what, self._clock = what, clock
        self._said_at = float("-inf")
        self._unsaid = 0

    def add(self, why: str) -> None:
        """It has happened again."""
        self.count += 1
        now = self._clock()
        if now - self._said_at < PAUSE:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more since this was last said)" if self._unsaid else ""
        log.warning("mqtt: %s: %s%s", self._what, why, more)
        self._said_at, self._unsaid = now, 0
