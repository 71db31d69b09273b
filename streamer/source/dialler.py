"""The addresses of one host, tried in turn: a camera with two networks, a service with several machines."""

import errno
from collections.abc import Callable, Sequence
from typing import TypeVar

from streamer.source.failure import OPEN_TIMEOUT
from streamer.values.clock import Clock, monotonic

Opened = TypeVar("Opened")

AWAY = frozenset(
    {
        *(errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN),
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT),  # this machine has no IPv6
    }
)
"""What says that nothing was reached at an address. Whatever else fails would fail at the next one too."""


class Dialler:
    """Of one attempt.

    Args:
        found: numeric addresses, at least one.
        seconds: that trying all of them may take.
        clock: monotonic seconds.
    """

    def __init__(self, found: Sequence[str], seconds: float = OPEN_TIMEOUT, clock: Clock = monotonic) -> None:
        self._found = found
        self._clock, self._until = clock, clock() + seconds
        self.tried = found[0]
        """The one that was tried last."""

    def open(self, opener: Callable[[str, float], Opened]) -> Opened:
        """Give what `opener` gives for the first address that is reached; it is told how many seconds are left.

        Raises:
            OSError: of the last one that was tried.
        """
        failure: OSError = TimeoutError(errno.ETIMEDOUT, "timed out")
        for address in self._found:
            left = self._until - self._clock()
            if left <= 0:
                break
            self.tried = address
            try:
                return opener(address, left)
            except OSError as error:
                if error.errno not in AWAY and not isinstance(error, TimeoutError):
                    raise
                failure = error
        raise failure
