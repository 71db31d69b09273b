"""What may fail with every frame: it costs nothing but the frame, all of it is counted, and little of it is said."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from streamer.values.clock import Clock, monotonic

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two words about the same thing, however often it fails and works again."""


class Mishaps:
    """Of one thing that is done over and over, in any thread: `with mishaps:` around it, and it raises no more.

    Said once an outage, which lasts until it works again, and once in PAUSE at the most.
    """

    def __init__(self, what: str, *, clock: Clock = monotonic, on_each: Callable[[], None] | None = None) -> None:
        """Begin with none.

        Args:
            what: cannot be done, and whose it is, for the log: "porch: frames cannot be shown".
            clock: monotonic seconds.
            on_each: told of each, for whoever counts them with others. Must not raise.
        """
        self.count = 0
        self._what, self._clock, self._on_each = what, clock, on_each
        self._said = False
        """Whether this outage was."""
        self._said_at: float | None = None
        self._unsaid = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):  # being cancelled is none
            self._add(error)
            return True
        if error is None:
            self._said = False
        return False

    def _add(self, error: Exception) -> None:
        with self._lock:
            self.count += 1
            unsaid = self._unsaid
            says = not self._said and self._is_time()
            self._unsaid = 0 if says else unsaid + 1
            self._said = self._said or says
        if says:
            before = f" ({unsaid} more since this was last said)" if unsaid else ""
            log.error("%s%s", self._what, before, exc_info=error)
        if self._on_each is not None:
            self._on_each()

    def _is_time(self) -> bool:
        now = self._clock()
        if self._said_at is not None and now - self._said_at < PAUSE:
            return False
        self._said_at = now
        return True
