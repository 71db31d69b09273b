"""What a command that takes a while says meanwhile, on stderr: stdout is for the answer."""

import sys
import time
from typing import TextIO

QUIET = 5.0
"""Seconds between two lines about the same thing where nobody sees a line change."""


class Progress:
    """Lines that say what is being done; on a terminal the last one counts along."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._counted_at = float("-inf")
        self._open = False
        """A line that counts is on the terminal and has not ended."""

    def say(self, sentence: str) -> None:
        """A line about something new."""
        self.end()
        print(self._line(sentence), file=self._stream, flush=True)
        self._counted_at = time.monotonic()

    def count(self, sentence: str) -> None:
        """How far it is: on a terminal in place of what was counted before, elsewhere a line now and then."""
        now = time.monotonic()
        if now - self._counted_at < (0.2 if self._stream.isatty() else QUIET):
            return
        self._counted_at = now
        if self._stream.isatty():
            self._open = True
            print(f"\r\033[K{self._line(sentence)}", end="", file=self._stream, flush=True)
        else:
            print(self._line(sentence), file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the counting line as it is; may be called twice."""
        if self._open:
            self._open = False
            print(file=self._stream, flush=True)

    def _line(self, sentence: str) -> str:
        return f"[{time.monotonic() - self._started:5.1f} s] {sentence}"
