"""How one outlet fares, and whether it may be told anything now: what came of attempts, counted and remembered."""

import logging
from collections.abc import Callable
from dataclasses import replace

from streamer.outlets.patience import as_asked, pause_after
from streamer.outlets.sender import Gone, Undelivered, Unwelcome
from streamer.values.clock import Clock
from streamer.values.outlet import OutletState

log = logging.getLogger(__name__)

QUIET = 60.0
"""Seconds from one word in the log about what was given up to the next."""
NEVER = float("-inf")


class Standing:
    """One outlet's."""

    def __init__(self, state: OutletState, *, clock: Clock, wall: Clock, dice: Callable[[], float]) -> None:
        """Begin with an outlet that has been told nothing.

        Args:
            state: that says so.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            dice: gives 0 to 1.
        """
        self.state = state
        """For people."""
        self.failures = 0
        """Of the receiver, whatever it was told, in a row."""
        self._clock, self._wall, self._dice = clock, wall, dice
        self._failing_from: float | None = None
        self._resume_at = NEVER
        self._said_at = NEVER

    @property
    def is_off(self) -> bool:
        """Whether it wants nothing any more."""
        return self.state.status == "off"

    @property
    def pause(self) -> float:
        """Seconds for which the receiver is left alone; 0 or less: it is not."""
        return self._resume_at - self._clock()

    @property
    def failing(self) -> float:
        """Seconds since it began to fail, whatever it was told; 0: it does not."""
        return 0.0 if self._failing_from is None else self._clock() - self._failing_from

    def resume(self) -> None:
        """Leave it alone no longer."""
        self._resume_at = NEVER

    def took(self) -> int:
        """It has what it was told; how often it had failed in a row before."""
        if self.state.status != "ok":
            log.info("%s takes what it is told again", self.state.name)
        failures, self.failures, self._failing_from, self._resume_at = self.failures, 0, None, NEVER
        sent = self.state.sent + 1
        self.state = replace(
            self.state, status="ok", failing_since=None, error="", sent=sent, last_sent_at=self._wall()
        )
        return failures

    def failed(self, failure: Undelivered) -> None:
        """Note that it has not. Unless that was about what it was told, it is left alone for a while."""
        was, is_gone = self.state, isinstance(failure, Gone)
        if is_gone and not self.is_off:
            log.warning("%s is told nothing more: %s", was.name, failure)
        elif was.status == "ok":
            log.warning("%s cannot be told: %s; it is tried again", was.name, failure)
        self.state = replace(
            was,
            status="off" if is_gone or self.is_off else "failing",
            failing_since=self._wall() if was.failing_since is None else was.failing_since,
            error=str(failure),
        )
        if not isinstance(failure, Unwelcome):
            self._back_off(failure.retry_after)

    def retried(self) -> None:
        """Count a notification that is to be tried again."""
        self.state = replace(self.state, retried=self.state.retried + 1)

    def gave_up(self, error: str) -> None:
        """Count a notification that is not."""
        self.state = replace(self.state, dead=self.state.dead + 1)
        if self._clock() - self._said_at >= QUIET:
            self._said_at = self._clock()
            log.warning("%s: %d notifications were given up by now: %s", self.state.name, self.state.dead, error)

    def _back_off(self, asked: float | None) -> None:
        now = self._clock()
        if self._failing_from is None:
            self._failing_from = now
        if now >= self._resume_at:  # several that were under way together are one failure
            self.failures += 1
        pause = pause_after(self.failures, self._dice) if asked is None else as_asked(asked)
        self._resume_at = max(self._resume_at, now + pause)
