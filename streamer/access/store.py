"""The file that users, tokens and sessions are kept in, for the service and for the command that changes them too.

Readable by its owner alone, and replaced as a whole. Whoever changes it holds the lock beside it, and begins from what
the file says then: nobody's change is lost. What it says at the start must be understood, or nothing starts: a broken
file opens no door. While the service runs, what was understood last stays in force.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from streamer.access.accounts import Accounts
from streamer.access.bounds import bounded
from streamer.access.document import MAX_BYTES, understood, written
from streamer.access.file_lock import locked
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError, Refused
from streamer.values.whole_file import replace_file

log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds from one look at the file to the next: what another process wrote is in force within two."""
PATIENCE = 5.0
"""Seconds a change may take before it is refused; half of them for whoever else changes the file just then."""

Edit = Callable[[Accounts], Accounts]
"""Makes the successor of a document; may raise what its caller is to be told."""
Look = tuple[int, int, int] | None
"""What tells a file from the one that took its place; None: it is not there."""


class Store:
    """One such file."""

    def __init__(self, path: Path | None, wall: Clock = time.time, patience: float = PATIENCE) -> None:
        """Use this file, which need not be there; None: nothing is kept for the next start.

        Args:
            path: the file; its folder must be there before anything is kept.
            wall: seconds since 1970, by which what has ended is swept out.
            patience: seconds a change may take.
        """
        self.path, self._wall, self._patience = path, wall, patience
        self.on_change: list[Callable[[], None]] = []
        """Called on the event loop after each change that is in force, whoever made it."""
        self.error: str | None = None
        """Why the file is not what is in force; None: it is."""
        self._accounts = Accounts()
        self._seen: Look = None
        self._errands = Errands(1, "accounts")  # one: what is read and written comes in its order

    @property
    def accounts(self) -> Accounts:
        """In force."""
        return self._accounts

    def read(self) -> None:
        """Take over what the file says, nothing where there is none. Blocks.

        Raises:
            ConfigError: it cannot be read or understood.
        """
        if self.path is None:
            return
        try:
            self._seen, accounts = _read(self.path)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path}: {_why(error)}; nobody could be told who may come in") from None
        self._accounts = accounts or Accounts()
        _make_private(self.path)

    async def change(self, edit: Edit) -> Accounts:
        """Change what is in force, and keep it. The edit runs in a thread.

        Raises:
            Refused: 503 it cannot be kept, and nothing was changed.
            Exception: whatever the edit raises; nothing was changed.
        """
        given_up = threading.Event()
        try:
            async with asyncio.timeout(self._patience):
                seen, accounts = await self._errands.run(partial(self._changed, edit, given_up.is_set))
        except TimeoutError:
            given_up.set()
            refused = self._refused(f"its disk did not answer within {self._patience:g} s")
            log.error("%s", refused)
            raise refused from None
        except Refused as refused:
            if refused.status == 503:
                log.error("%s", refused)
            raise
        self._take_over(seen, accounts)
        return accounts

    def change_now(self, edit: Edit) -> Accounts:
        """The same for a command. Blocks.

        Raises:
            ConfigError: it cannot be kept, and nothing was changed.
            Exception: whatever the edit raises; nothing was changed.
        """
        try:
            self._seen, self._accounts = self._changed(edit)
        except Refused as refused:
            raise ConfigError(str(refused)) from None
        return self._accounts

    async def watch(self) -> None:
        """Take over what other processes write, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            if self.path is not None:
                await self._look(self.path)

    async def _look(self, path: Path) -> None:
        try:
            if await self._errands.run(partial(_look, path)) == self._seen:
                return
            seen, accounts = await self._errands.run(partial(_read, path))
            if accounts is None:
                raise ValueError("it is not there any more")
        except (OSError, ValueError) as error:
            self._say(f"{path.name}: {_why(error)}; what it said before stays in force")
        else:
            self._take_over(seen, accounts)

    def _say(self, error: str) -> None:
        if error != self.error:
            log.error("%s", error)
        self.error = error

    def _take_over(self, seen: Look, accounts: Accounts) -> None:
        if self.error is not None:
            log.info("%s is in force again", self.path)
        self._seen, self.error = seen, None
        if accounts == self._accounts:
            return
        self._accounts = accounts
        for told in self.on_change:
            told()

    def _changed(self, edit: Edit, given_up: Callable[[], bool] = lambda: False) -> tuple[Look, Accounts]:
        """Change what the file says by now, and write it."""
        if self.path is None:
            return None, bounded(edit(self._accounts), self._wall())
        try:
            with locked(self.path, self._patience / 2):
                seen, newest = _read(self.path)
                newest = self._accounts if newest is None else newest
                accounts = bounded(edit(newest), self._wall())
                if accounts == newest:
                    return seen, newest
                replace_file(self.path, written(accounts), given_up)
                return _look(self.path), accounts
        except (OSError, ValueError) as error:
            raise self._refused(_why(error)) from None

    def _refused(self, why: str) -> Refused:
        name = "" if self.path is None else str(self.path)
        return Refused(503, f"users, tokens and sessions cannot be kept: {name}: {why}; nothing was changed")


def _look(path: Path) -> Look:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> tuple[Look, Accounts | None]:
    """What a file says; None where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it cannot be understood.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, None
    return (found.st_ino, found.st_mtime_ns, found.st_size), understood(content)


def _make_private(path: Path) -> None:
    """Take away from others what they may not read."""
    with contextlib.suppress(OSError):  # then it is another's, who was let in on purpose
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(0o600)
            log.warning("%s could be read by others, and cannot any more", path)


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "its folder is not there"
    if isinstance(error, BlockingIOError):
        return "another process holds its lock"
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
