"""The lock that whoever changes a file holds: flock(2) on an empty file beside it, which a crash lets go of. Blocks."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from streamer.values.whole_file import open_own

INTERVAL = 0.02
"""Seconds between two tries to have it."""


@contextlib.contextmanager
def locked(path: Path, patience: float) -> Iterator[None]:
    """Hold it. The file stays: a lock on one that was removed locks nothing.

    Args:
        path: the file that is changed; its folder must be there.
        patience: seconds to wait for who holds it.

    Raises:
        OSError: it cannot be had.
    """
    lock = path.resolve()
    handle = open_own(lock.with_name(f".{lock.name}.lock"), os.O_RDWR, lock if lock.exists() else lock.parent)
    try:
        give_up_at = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(INTERVAL)
        yield
    finally:
        os.close(handle)  # which lets go of it
