"""Notices that somebody has edited a file: by its content, looked at twice a second.

Editors write a new file and rename it, Kubernetes swaps a symbolic link two folders up, and a network drive tells
nobody: inotify watches none of these. The content is what counts, and a configuration is a few kilobytes.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

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

    async def run(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Call `changed` after each change, and once at the beginning, until cancelled."""
        while True:
            if self._settling.look(await asyncio.to_thread(self._seen)) or self._asked.is_set():
                self._asked.clear()
                await changed()
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._asked.wait()
            except TimeoutError:
                continue

    def _seen(self) -> bytes:
        """A digest of the content, or why there is none: a folder in its place is other news than nothing."""
        try:
            return hashlib.sha256(self._path.read_bytes()).digest()
        except OSError as error:
            return str(error).encode()
