"""A file as FFmpeg writes it: held until it is asked to be on disk, its fragments found on the way. Blocks.

FFmpeg opens and ends files of its own with Python's lock held: on a disk that hangs that would stop the whole service.
"""

import contextlib
import os
from pathlib import Path

from streamer.archive.recordings.fragments import add, boxes, init_of
from streamer.archive.recordings.segment import Fragment


class GrowingFile:
    """One that is new; what FFmpeg asks of a file object, and what we ask of it."""

    def __init__(self, path: Path, timescale: int) -> None:
        """Make it, and the folders it is in.

        Args:
            path: of the file; nothing may be there.
            timescale: of the video's times in it: so many to a second.

        Raises:
            OSError: it cannot be made.
        """
        self.path, self._timescale = path, timescale
        self._descriptor = _made(path)
        self._held = bytearray()
        """What FFmpeg wrote last."""
        self._held_at = 0
        """Where in the file it belongs."""
        self._read_to = 0
        """What is before this has been looked through for boxes."""
        self._moof: tuple[int, bytes] | None = None
        self.size = 0
        """Bytes of the file, those held too."""
        self.written = 0
        """Bytes of it on disk."""
        self.init = b""
        """`ftyp` and `moov` as they were written first."""
        self.fragments: list[Fragment] = []
        """Those wholly on disk."""
        self.pictures = 0
        """In these."""
        self.closed = False
        """PyAV writes no end to a file that is."""

    # ---- asked by FFmpeg

    def write(self, data: bytes) -> int:
        self._held += data
        self.size = max(self.size, self.tell())
        return len(data)

    def tell(self) -> int:
        return self._held_at + len(self._held)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}[whence]
        if begin + offset != self.tell():
            self._written()
            self._held_at = begin + offset
        return self.tell()

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    # ---- asked by us

    def flush(self, *, durably: bool = False) -> bool:
        """Put on disk what is held; whether there was any.

        Raises:
            OSError: it cannot be; what is held still is.
        """
        at, held = self._held_at, self._written()
        if durably:
            os.fdatasync(self._descriptor)
        if held:
            self._look(held if at == self._read_to else self._not_looked_through())
        return bool(held)

    def cut(self) -> None:
        """Have it end with its last whole fragment, and close it; nothing where there is none.

        Raises:
            OSError: it cannot be cut; it is closed all the same.
        """
        self.closed = True
        try:
            end = self.fragments[-1].offset + self.fragments[-1].size if self.fragments else 0
            os.ftruncate(self._descriptor, end)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it as it is."""
        self.closed = True
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):  # what there was to say of the disk has been said by fdatasync
                os.close(descriptor)

    def _written(self) -> bytes:
        held = bytes(self._held)
        view, done = memoryview(held), 0
        while done < len(held):
            done += os.pwrite(self._descriptor, view[done:], self._held_at + done)
        self._held_at += len(held)
        self.written = max(self.written, self._held_at)
        self._held.clear()
        return held

    def _not_looked_through(self) -> bytes:
        """FFmpeg goes back in boxes that are larger than its buffer, to say how large: they come in pieces."""
        return os.pread(self._descriptor, self.written - self._read_to, self._read_to)

    def _look(self, data: bytes) -> None:
        """Find fragments in what was written at the end."""
        end = 0
        for box in boxes(data):
            at, end = self._read_to + box.begin, box.end
            if box.kind == b"moov" and not self.init:
                self.init = init_of(data[: box.end])
            elif box.kind == b"moof":
                self._moof = at, data[box.begin : box.end]
            elif box.kind == b"mdat" and self._moof is not None:
                begin, moof = self._moof
                size = self._read_to + box.end - begin
                self.pictures += add(self.fragments, moof, begin, size, self._timescale)
                self._moof = None
        self._read_to += end


def _made(path: Path) -> int:
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
    for _ in range(2):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # the empty folder was removed meanwhile
            continue
    return os.open(path, flags, 0o600)
