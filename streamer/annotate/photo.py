"""A photo read from its file, within limits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.annotate.answer import Unreadable
from streamer.inference.picture import claimed_pixels, read_picture
from streamer.values.errors import Refused

MAX_BYTES = 128 << 20
"""Of a file: more has no picture of 50 megapixels but one that is not compressed."""
LARGE = 12_000_000
"""Pixels from which on one picture is decoded or drawn on at a time: each takes six bytes of memory, and more."""

_large = threading.Lock()


def pixels_of(path: Path) -> NDArray[np.uint8]:
    """Decode a photo, upright. Blocks: for a thread.

    Returns:
        uint8 [height, width, 3], RGB.

    Raises:
        Unreadable: it cannot be read, is no picture, broken or too large; says why.
    """
    try:
        data = bytes_of(path)
        with alone(data):
            return read_picture(data)
    except Refused as refused:
        raise Unreadable(str(refused)) from None
    except MemoryError:
        raise Unreadable("there is not enough memory to decode it") from None


def bytes_of(path: Path) -> bytes:
    """The file. Raises Unreadable: it cannot be had, or is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise Unreadable(f"a file of more than {MAX_BYTES >> 20} MiB is not read as a picture")
    return data


@contextmanager
def alone(data: bytes) -> Iterator[None]:
    """Wait until no other large picture is being decoded, or drawn on, where this is one."""
    if claimed_pixels(data) <= LARGE:
        yield
        return
    with _large:
        yield
