"""Whether SIGHUP means that a configuration is to be read again, or that the terminal was closed."""

import os
import signal


class Terminal:
    """The terminal the process was started from, if any. To be made before SIGHUP is handled."""

    def __init__(self) -> None:
        # nohup(1) has it ignored: whoever says that wants no end with the terminal.
        self._binds = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _is_there()

    def is_gone(self) -> bool:
        """Whether the process should end, as it would without a handler."""
        return self._binds and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
