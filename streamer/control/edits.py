"""Notices that somebody has edited a file: by its content, looked at twice a second.

Editors write a new file and rename it, Kubernetes swaps a symbolic link two folders up, and a network drive tells
nobody: inotify watches none of these. The content is what counts, and a configuration is a few kilobytes.
"""

import asyncio
import errno
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from streamer import config
from streamer.values.errands import Errands

INTERVAL = 0.5
"""Seconds from one look to the next."""
PATIENCE = 5.0
"""Seconds a look may take before it is told that the file cannot be read: a network drive that hangs, a pipe that
nobody writes to. It goes on waiting in its thread, and while it does there is no second one."""


class Settling:
    """Says when content is new and complete. Pure.

    Content counts once it is the same in two looks: whoever writes a file empties it first, and an empty configuration
    would end every stream.
    """

    def __init__(self) -> None:
        self._taken: bytes | None = None
        self._last: bytes | None = None

    def look(self, seen: bytes) -> bool:
        """Whether it is time to read the file; `seen` tells its content from any other."""
        settled = seen == self._last
        self._last = seen
        if not settled or seen == self._taken:
            return False
        self._taken = seen
        return True


class Edits:
    """Follows one file."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path, self._patience = path, patience
        self._reading = Errands(1, "configuration")  # its thread holds up nothing, not even the exit
        self._settling = Settling()
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have the file read at once, whether it has changed or not."""
        self._asked.set()

    async def run(self, changed: Callable[[bytes | OSError], Awaitable[None]]) -> None:
        """Call `changed` after each change, and once at the beginning, until cancelled.

        It is given what was read and found to be new, for a second reading might find something else.
        """
        while True:
            said = await self._read()
            if self._settling.look(_digest(said)) or self._asked.is_set():
                self._asked.clear()
                await changed(said)
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def _read(self) -> bytes | OSError:
        """What the file says, or why that cannot be known."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._reading.run(partial(config.read, self._path))
        except TimeoutError:
            return OSError(errno.ETIMEDOUT, f"nothing came of it within {self._patience:g} s")


def _digest(said: bytes | OSError) -> bytes:
    """Of the content, or why there is none: a folder in its place is other news than nothing."""
    return hashlib.sha256(said).digest() if isinstance(said, bytes) else str(said).encode()
