"""Ctrl-C and SIGTERM while an export runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupt:
    """Ctrl-C and SIGTERM, both obeyed by cleaning up, and neither ever lost.

    An exception that a signal raises anywhere may be swallowed by code that was not written for it: TensorFlow's import
    turns it into an ImportError, a destructor prints it and goes on. So it is also remembered, and raised again at the
    next step.
    """

    def __init__(self) -> None:
        self._asked = False
        self._put_off = False

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in this block for both signals; where signals cannot be had, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Let this block end first: seconds in which nothing can be interrupted cleanly."""
        self._put_off = True
        try:
            yield
        finally:
            self._put_off = False
            self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came, whoever swallowed it."""
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: object) -> None:
        first, self._asked = not self._asked, True
        if first and not self._put_off:  # a second one would break off the cleaning up
            raise KeyboardInterrupt
