"""How this process gets and gives back its memory."""

import contextlib
import ctypes


def keep_memory() -> None:
    """Tell glibc not to give pictures back to the kernel one by one.

    Frames and tensors are megabytes each; by default every one is mapped, zeroed and unmapped again, which costs a
    batch of eight three times its gRPC call. M_MMAP_THRESHOLD (-3) and M_TRIM_THRESHOLD (-1): mallopt(3).
    """
    with contextlib.suppress(OSError, AttributeError):  # not glibc: nothing to gain, nothing lost
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 64 << 20)
        libc.mallopt(-1, 256 << 20)
