"""Datagrams that were lost, as FFmpeg tells its log and nobody else."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av

from streamer.doctor.observation import Observation

_MISSED = re.compile(r"RTP: missed (\d+) packets")
"""What libavformat's rtpdec.c logs."""
_lock = threading.Lock()
_listeners = 0
_before: int | None = None
"""The level to go back to when nobody listens any more."""


@contextmanager
def counted(seen: Observation) -> Iterator[None]:
    """Note what this thread loses while the block lasts.

    PyAV's logging is one for the whole process, and takes the interpreter's lock in whatever thread it is: so it is on
    from the first who listens to the last, and otherwise off.
    """
    _listen()
    try:
        with av.logging.Capture() as said:
            try:
                yield
            finally:
                seen.lost = sum(int(missed[1]) for _, _, text in said if (missed := _MISSED.search(text)))
    finally:
        _leave()


def _listen() -> None:
    global _listeners, _before
    with _lock:
        if not _listeners:
            _before = av.logging.get_level()
            av.logging.set_level(av.logging.WARNING)
            av.logging.set_skip_repeated(False)  # who loses one datagram at a time says the same again and again
        _listeners += 1


def _leave() -> None:
    global _listeners
    with _lock:
        _listeners -= 1
        if not _listeners:
            av.logging.set_level(_before)
            av.logging.set_skip_repeated(True)
