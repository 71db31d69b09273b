"""Descriptors that are not to be had: said once a second at the most, however many go without."""

import errno
import logging

from streamer.values.clock import Clock

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds from one word to the next."""
ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accept(2) and open(2) say where there are too many."""


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that the process, or the machine, is out of descriptors or of memory for them."""
    return isinstance(error, OSError) and error.errno in ERRORS


class Shortage:
    """Of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at: float | None = None
        self._unsaid = 0

    def met(self, error: BaseException) -> None:
        """Somebody goes without."""
        now = self._clock()
        if self._said_at is not None and now - self._said_at < PAUSE:
            self._unsaid += 1
            return
        before = f", and so since this was last said: {self._unsaid}" if self._unsaid else ""
        log.error("no descriptor is free (%s): a connection or a file has to wait%s", error, before)
        self._said_at, self._unsaid = now, 0
