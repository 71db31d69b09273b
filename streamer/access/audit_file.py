"""The audit on the disk: lines of JSON, the newest last, in two files that follow each other. Everything here blocks.

Readable by its owner alone. The service and the command beside it append under a lock; a line that was torn by a full
disk or a power cut is skipped by whoever reads.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from streamer.access.deed import Deed, read_deed
from streamer.values.errors import Refused
from streamer.values.whole_file import open_own, replace_file

MAX_BYTES = 8 << 20
"""Of one file: some fifty thousand deeds."""
BLOCK = 1 << 16
"""Bytes that are read at a time, backwards."""

Fits = Callable[[Deed], bool]


class AuditFile:
    """One audit's."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        """Use this file, and the one beside it that it becomes when it is full."""
        self._path, self._max_bytes = path, max_bytes
        self._older = path.with_name(f"{path.name}.1")

    def append(self, deeds: list[Deed]) -> None:
        """Write these behind what is there, all of them or none.

        Raises:
            OSError: they cannot be written.
        """
        content = b"".join(deed.line() for deed in deeds)
        with self._locked() as handle:
            size = os.fstat(handle).st_size
            if size == 0 or size + len(content) <= self._max_bytes:
                return _append(handle, size, content)
            self._path.replace(self._older)
        with self._locked() as handle:
            return _append(handle, os.fstat(handle).st_size, content)

    def forget(self, before: float) -> None:
        """Remove what was done before then (seconds since 1970).

        Raises:
            OSError: it cannot be written.
        """
        for path in (self._older, self._path):
            with contextlib.suppress(FileNotFoundError), self._locked(path) as handle:
                with open(handle, "rb", closefd=False) as file:
                    lines = list(file)
                kept = [line for line in lines if (deed := read_deed(line)) is None or deed.at >= before]
                if len(kept) < len(lines):
                    replace_file(path, b"".join(kept))

    def search(self, fits: Fits, cursor: str | None, limit: int) -> tuple[list[Deed], str | None]:
        """The newest that fit, newest first, and where to go on; None: there are no more.

        Raises:
            Refused: 400 the cursor is none, or what it points to is no more.
            OSError: they cannot be read.
        """
        found: list[Deed] = []
        last = ""
        for place, line in self._backwards(cursor):
            deed = read_deed(line)
            if deed is None or not fits(deed):
                continue
            if len(found) == limit:
                return found, last
            found.append(deed)
            last = place
        return found, None

    def _backwards(self, cursor: str | None) -> Iterator[tuple[str, bytes]]:
        """Every line before a cursor, the last first, each with the cursor that goes on behind it."""
        with contextlib.ExitStack() as stack:
            files: dict[int, BinaryIO] = {}
            for path in (self._path, self._older):
                with contextlib.suppress(FileNotFoundError):
                    file: BinaryIO = stack.enter_context(path.open("rb"))
                    files.setdefault(os.fstat(file.fileno()).st_ino, file)
            inode, end = _place(cursor)
            if inode is not None and inode not in files:
                raise Refused(400, "what this cursor points to is no more; search again without it")
            for each, file in files.items():
                if inode is not None and each != inode:
                    continue
                size = os.fstat(file.fileno()).st_size
                for offset, line in _lines(file, size if inode is None else min(end, size)):
                    yield f"{each:x}-{offset:x}", line
                inode = None

    @contextlib.contextmanager
    def _locked(self, there: Path | None = None) -> Iterator[int]:
        """The file that is written to, or one that must be there; locked, and still of that name."""
        path, flags = there or self._path, os.O_RDWR | os.O_APPEND
        while True:
            handle = (
                open_own(path, flags, path.parent)
                if there is None
                else os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW)
            )
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_ino == os.fstat(handle).st_ino:
                        yield handle
                        return
            finally:
                os.close(handle)


def _append(handle: int, size: int, content: bytes) -> None:
    if size and os.pread(handle, 1, size - 1) != b"\n":
        content = b"\n" + content  # behind a line that was torn
    try:
        if os.write(handle, content) < len(content):
            raise OSError(28, os.strerror(28))
    except OSError:
        os.ftruncate(handle, size)
        raise


def _place(cursor: str | None) -> tuple[int | None, int]:
    """The file and the offset in it that a cursor names."""
    if cursor is None:
        return None, 0
    inode, _, offset = cursor[:40].partition("-")
    try:
        return int(inode, 16), int(offset, 16)
    except ValueError:
        raise Refused(400, "cursor: is none; allowed is what the search before gave") from None


def _lines(file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines before an offset, the last first, each with its own."""
    behind, position = b"", end
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        first, *lines = (file.read(size) + behind).split(b"\n")
        offset = position + size + len(behind)
        for line in reversed(lines):
            offset -= len(line)
            yield offset, line
            offset -= 1
        behind = first
    yield 0, behind
