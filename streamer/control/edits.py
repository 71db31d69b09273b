"""Notices that somebody has edited a file: by its content, looked at twice a second.

Editors write a new file and rename it, Kubernetes swaps a symbolic link two folders up, and a network drive tells
nobody: inotify watches none of these. The content is what counts, and a configuration is a few kilobytes.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from streamer import config

INTERVAL = 0.5
"""Seconds from one look to the next."""


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

    def __init__(self, path: Path) -> None:
        self._path = path
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
            said = await asyncio.to_thread(config.read, self._path)
            if self._settling.look(_digest(said)) or self._asked.is_set():
                self._asked.clear()
                await changed(said)
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._asked.wait()
            except TimeoutError:
                continue


def _digest(said: bytes | OSError) -> bytes:
    """Of the content, or why there is none: a folder in its place is other news than nothing."""
    return hashlib.sha256(said).digest() if isinstance(said, bytes) else str(said).encode()
