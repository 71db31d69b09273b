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

    def look(self, content: bytes | None) -> bool:
        """Whether it is time to read the file; `content` is None where there is none."""
        digest = b"" if content is None else hashlib.sha256(content).digest()
        settled = digest == self._last
        self._last = digest
        if not settled or digest == self._taken:
            return False
        self._taken = digest
        return True


class Watch:
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
            if self._settling.look(await asyncio.to_thread(self._read)) or self._asked.is_set():
                self._asked.clear()
                await changed()
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._asked.wait()
            except TimeoutError:
                continue

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None
