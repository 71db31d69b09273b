"""How this process gets and gives back its memory."""

import contextlib
import ctypes


def keep_memory() -> None:
    """Tell glibc not to give pictures back to the kernel one by one, and to keep them in few places.

    Frames and tensors are megabytes each; by default every one is mapped, zeroed and unmapped again, which costs a
    batch of eight three times its gRPC call. M_MMAP_THRESHOLD (-3) and M_TRIM_THRESHOLD (-1): mallopt(3).

    What is kept is kept by arena, of which there would be eight a core, and each grows to the most that the threads it
    happens to serve ever held at once: under churn the service grew by 1.9 MB a minute and was 50 MB larger. Two do
    (M_ARENA_MAX, -8), since most of what is allocated is allocated under the interpreter's lock.
    """
    with contextlib.suppress(OSError, AttributeError):  # not glibc: nothing to gain, nothing lost
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 64 << 20)
        libc.mallopt(-1, 256 << 20)
        libc.mallopt(-8, 2)
