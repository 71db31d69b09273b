"""Keep glibc from returning every large buffer to the system.

A Predict call moves megabytes through malloc several times. By default glibc maps each such block anew and gives it
back at once, and the page faults cost more than the call: 8 frames of 320x320 took 14.7 ms of which 10 were these.
"""

import ctypes

M_TRIM_THRESHOLD = -1  # malloc.h
M_MMAP_THRESHOLD = -3


def keep_large_blocks() -> bool:
    """Serve blocks up to 64 MiB from the heap and keep up to 256 MiB of it free; False where libc has no mallopt."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, 64 << 20)) and bool(mallopt(M_TRIM_THRESHOLD, 256 << 20))
