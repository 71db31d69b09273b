"""The configuration file read again while the service runs: what can change does, and the rest is said."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from streamer import config
from streamer.config import AccessSettings, Config
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError

log = logging.getLogger(__name__)

FIXED: dict[str, tuple[str, ...]] = {
    "server": (
        "host",
        "port",
        "tls",
        "names",
        "base_path",
        "public_url",
        "trusted_proxies",
        "origins",
        "frame_ancestors",
        "ice_servers",
    ),
    "serving": ("address", "tls", "max_batch_size", "in_flight", "deadline", "scheduling"),
    "api_streams": ("state",),
    "access": ("session_hours", "store", "oidc"),
}
"""What a running service cannot change: sockets that are open, and what every model's channel was built from."""
WHOLE = ("archive", "cluster")
"""Sections of which it can change nothing."""


class FileState(TypedDict):
    """What a page must know of the configuration file."""

    ok: bool
    """The file as it is now has no mistake."""
    error: str | None
    """The mistake, as the start would say it."""
    read_at: float | None
    """When it was last read without one, in seconds since 1970; null: no file is followed."""
    restart_needed: list[str]
    """Keys that were changed and wait for a restart."""


class Reload:
    """One configuration file."""

    def __init__(
        self, path: Path, started: Config, apply: Callable[[Config], Awaitable[None]], wall: Clock = time.time
    ) -> None:
        """Follow a file.

        Args:
            path: the file.
            started: what it said when the service started.
            apply: given what is to run, after each change.
            wall: seconds since 1970.
        """
        self._path, self._started, self._apply, self._wall = path, started, apply, wall
        self._running = held(started, started)
        self._parsing = Errands(1, "configuration")
        self.error: str | None = None
        """What is wrong with the file as it is now, in one sentence; None: nothing."""
        self.read_at = wall()
        """When it was last read without a mistake, in seconds since 1970."""
        self.restart_needed: tuple[str, ...] = ()
        """Keys that were changed and wait for a restart."""

    async def run_once(self, said: bytes | OSError) -> None:
        """Do what the file says where that is new. A mistake changes nothing.

        Args:
            said: what `config.read` gave of it. It is not read again: what is judged is what is taken over.
        """
        try:
            await self._take_over(said)
        except Exception:  # the next edit must still be seen
            log.exception("%s could not be taken over in a way nobody foresaw", self._path.name)
            self.error = f"{self._path.name}: could not be taken over; the log has the details"

    async def _take_over(self, said: bytes | OSError) -> None:
        try:
            read = await self._parsing.run(partial(self._understand, said))
        except ConfigError as error:
            self._refused(str(error).replace(str(self._path), self._path.name))
            return
        if self.error is not None:
            log.info("%s is free of mistakes again", self._path.name)
        self.error, self.read_at = None, self._wall()
        self._say_fixed(differing(self._started, read))
        wanted = held(self._started, read)
        if not self._is_news(wanted):
            return
        await self._apply(wanted)
        self._running = wanted
        log.info("%s has changed, and is in force", self._path.name)

    def _understand(self, said: bytes | OSError) -> Config:
        """Parse it, which takes as long as it is large."""
        read = config.understand(self._path, said)
        is_empty = isinstance(said, bytes) and not said.strip()
        if is_empty and self._is_news(held(self._started, read)):  # an editor that failed, more likely than a wish
            raise ConfigError(f"{self._path}: is empty; to end every stream write {{}}")
        return read

    def _is_news(self, wanted: Config) -> bool:
        return _said(wanted) != _said(self._running)

    def describe(self) -> FileState:
        """For the API."""
        return {
            "ok": self.error is None,
            "error": self.error,
            "read_at": round(self.read_at, 3),
            "restart_needed": list(self.restart_needed),
        }

    def _refused(self, sentence: str) -> None:
        if sentence != self.error:
            log.error("the configuration is not taken over, and what runs goes on: %s", sentence)
        self.error = sentence

    def _say_fixed(self, keys: tuple[str, ...]) -> None:
        if keys != self.restart_needed and keys:
            log.warning("%s: changed, and in force from the next start on", ", ".join(keys))
        self.restart_needed = keys


def _said(settings: Config) -> dict[str, Any]:
    """What it says, without what it leaves out: `paused: false` is another thing than nothing."""
    said = settings.model_dump(exclude_unset=True)
    return said if settings.cluster is None else said | {"streams": settings.streams_said}


def differing(started: Config, read: Config) -> tuple[str, ...]:
    """The fixed keys, dotted, that have another value now."""
    keys = tuple(
        f"{section}.{key}"
        for section, keys in FIXED.items()
        for key in keys
        if getattr(_section(started, section), key) != getattr(_section(read, section), key)
    )
    whole = tuple(key for key in WHOLE if getattr(started, key) != getattr(read, key))
    return (*keys, *whole)


def held(started: Config, read: Config) -> Config:
    """What was read, with the fixed keys as they were at the start."""
    sections = {
        section: getattr(read, section).model_copy(
            update={key: getattr(_section(started, section), key) for key in keys}
        )
        for section, keys in FIXED.items()
        if getattr(read, section) is not None
    }
    return read.model_copy(update={**sections, **{key: getattr(started, key) for key in WHOLE}})


def _section(settings: Config, name: str) -> Any:
    """One section; of `access`, where there is none, what it would say by itself."""
    section = getattr(settings, name)
    return AccessSettings() if section is None else section
