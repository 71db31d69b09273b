"""What lies elsewhere as a file that is read anywhere in it, a block at a time: never held whole."""

import io
from collections import OrderedDict
from typing import Protocol

BLOCK = 1 << 20
"""Bytes that are asked for at a time: with less, each costs a round trip more; with more, a seek what nobody reads."""
BLOCKS = 4
"""That are held."""


class Store(Protocol):
    """Where it lies: object storage, or another replica's disk."""

    def read(self, key: str, offset: int, size: int) -> bytes:
        """A part of what is there.

        Raises:
            StorageAway: it cannot be read.
            FileNotFoundError: it is not there.
        """


class ObjectFile(io.RawIOBase):
    """One, to read. Each read that finds nothing at hand blocks for a round trip."""

    def __init__(self, store: Store, key: str, size: int) -> None:
        """Have read nothing.

        Args:
            store: it is in.
            key: its name there.
            size: in bytes.
        """
        super().__init__()
        self._store, self._key, self._size = store, key, size
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where one is."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere in it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or what there is.

        Raises:
            StorageAway: it cannot be read now.
            FileNotFoundError: it is not there.
        """
        left = max(0, self._size - self._at)
        found = self.pread(left if size is None or size < 0 else min(size, left), self._at)
        self._at += len(found)
        return found

    def pread(self, size: int, at: int) -> bytes:
        """So many bytes from there on, or what there is; raises as `read` does."""
        end, pieces = min(at + size, self._size), list[bytes]()
        while at < end:
            number, skip = divmod(at, BLOCK)
            piece = self._block(number)[skip : skip + end - at]
            if not piece:
                break
            pieces.append(piece)
            at += len(piece)
        return b"".join(pieces)

    def _block(self, number: int) -> bytes:
        found = self._blocks.get(number)
        if found is None:
            begin = number * BLOCK
            found = self._store.read(self._key, begin, min(BLOCK, self._size - begin))
            self._blocks[number] = found
            while len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        return found
