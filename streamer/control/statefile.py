"""What the API changed, kept beside the configuration for the next start.

One JSON document, readable by its owner alone, because URLs carry passwords. It is replaced as a whole, so that a power
cut leaves the old one or the new one; and one that cannot be understood is put aside, never written over.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from streamer.values.errands import Errands
from streamer.values.errors import Refused
from streamer.values.whole_file import replace_file

log = logging.getLogger(__name__)

VERSION = 1
MAX_BYTES = 16 << 20
"""Of such a file: a thousand streams are a tenth of it."""
TAKEN_OVER = "taken-over"
"""What the name of one ends in that a cluster has what it says."""
PATIENCE = 5.0
"""Seconds a disk gets to take the file before the change it was for is refused."""


@dataclass(frozen=True)
class Kept:
    """What is in it."""

    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The settings of the streams that were added, by name, as the API was given them."""
    paused: frozenset[str] = frozenset()
    """Names of paused streams, those of the configuration file among them."""


class StateFile:
    """One such file. Its functions block, but for `keep`."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        """Use this file; it need not be there."""
        self.path, self._patience = path, patience
        self._errands = Errands(1, "state")  # a disk that hangs holds up nothing, not even the exit
        self._writing: asyncio.Future[None] | None = None
        self._lost: str | None = None
        """Why what is there must not be written over; None where it may."""

    def read(self) -> Kept:
        """What is kept; nothing where there is no file.

        A file that cannot be understood is put aside, with a sentence in the log.
        """
        try:
            with self.path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            self._lost = f"{self.path.name} cannot be read: {error.strerror}"
            log.error("%s; streams added through the API are missing, and none can be added", self._lost)
            return Kept()
        try:
            return _understood(text)
        except (ValueError, RecursionError) as error:
            self.put_aside(str(error) if type(error) is ValueError else "it is not JSON")
            return Kept()

    def put_aside(self, why: str) -> None:
        """Give the file another name, beside itself, for a person to look at."""
        aside = next(path for path in self._names_aside("broken") if not path.exists())
        try:
            self.path.rename(aside)
        except OSError as error:
            self._lost = f"{self.path.name} cannot be used ({why}), nor put aside: {error.strerror}"
            log.error("%s; streams added through the API are missing, and none can be added", self._lost)
        else:
            log.error("%s cannot be used: %s; it is kept as %s, and begun anew", self.path.name, why, aside.name)

    async def set_by(self) -> str:
        """Give the file another name, since a cluster has what it says; returns that.

        Raises:
            OSError: it cannot be renamed.
        """
        return await self._errands.run(self._set_by)

    def _set_by(self) -> str:
        by = next(path for path in self._names_aside(TAKEN_OVER) if not path.exists())
        try:
            self.path.rename(by)
        except FileNotFoundError:  # another replica that shares the file was first
            by = self._set_by_name
        return by.name

    @property
    def _set_by_name(self) -> Path:
        return self.path.with_name(f"{self.path.name}.{TAKEN_OVER}")

    def say_set_by(self) -> None:
        """Say in the log where what was kept before there was a cluster is, if nothing was kept since."""
        by = self._set_by_name
        if by.exists() and not self.path.exists():
            log.warning(
                "what the API changed before this was a replica is in %s; for it to count again, rename that to %s",
                by.name,
                self.path.name,
            )

    async def keep(self, kept: Kept) -> None:
        """Replace the file, in a thread of its own; what comes too late is not taken over.

        Raises:
            Refused: 503 it cannot be written, and nothing was; or the disk does not answer, or has not yet since.
        """
        if self._writing is not None and not self._writing.done():
            raise self._refused("its disk does not answer")
        given_up = threading.Event()
        self._writing = asyncio.ensure_future(self._errands.run(partial(self.write, kept, given_up.is_set)))
        done, _ = await asyncio.wait({self._writing}, timeout=self._patience)
        if not done:
            given_up.set()
            self._writing.add_done_callback(asyncio.Future.exception)  # which nobody else will look at
            raise self._refused(f"its disk did not answer within {self._patience:g} s")
        return self._writing.result()

    def write(self, kept: Kept, given_up: Callable[[], bool] = lambda: False) -> None:
        """Replace the file, unless that was given up by the time it is ready to.

        Raises:
            Refused: 503 it cannot be written, and nothing was.
        """
        if self._lost is not None:
            raise Refused(503, f"what the API changes cannot be kept: {self._lost}; nothing was changed")
        document = {"version": VERSION, "streams": kept.streams, "paused": sorted(kept.paused)}
        content = json.dumps(document, indent=1).encode()
        if len(content) > MAX_BYTES:
            raise self._refused(f"it would be larger than {MAX_BYTES >> 20} MiB")
        try:
            replace_file(self.path, content, given_up)
        except OSError as error:
            raise self._refused(str(error.strerror)) from None

    def _refused(self, why: str) -> Refused:
        sentence = f"what the API changes cannot be kept: {self.path.name} cannot be written: {why}"
        log.error("%s", sentence)
        return Refused(503, f"{sentence}; nothing was changed")

    def _names_aside(self, why: str) -> "list[Path]":
        return [self.path.with_name(f"{self.path.name}.{why}{number or ''}") for number in range(1000)]


def _understood(text: bytes) -> Kept:
    """Raise ValueError, with the reason, where it is no such document."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("version") != VERSION:
        found = document.get("version") if isinstance(document, dict) else None
        raise ValueError(f"it is of version {found!r}, and {VERSION} is understood here")
    streams, paused = document.get("streams"), document.get("paused")
    if not isinstance(streams, dict) or not all(isinstance(settings, dict) for settings in streams.values()):
        raise ValueError("its streams are not mappings")
    if not isinstance(paused, list) or not all(isinstance(name, str) for name in paused):
        raise ValueError("its paused streams are not a list of names")
    return Kept(streams, frozenset(paused))
