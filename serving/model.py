"""One model by name: its versions on disk, the one that serves, and how one replaces another."""

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import grpc

from serving.errors import ServingError, not_found, status_code
from serving.servable import Servable
from serving.versions import find_versions, fingerprint, why_no_versions

Load = Callable[[str, int, Path], Servable]
"""Model name, version, version directory to a loaded and warmed up version; raises anything."""

KEPT_STATES = 16
"""Versions whose end is still told by GetModelStatus."""
UNLOAD_TIMEOUT = 60.0
"""Seconds a version that was replaced is kept for calls that still use it."""


class State(IntEnum):
    """tensorflow.serving.ModelVersionStatus.State."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """Where one version is in its life; `error` is why it could not be loaded."""

    state: State
    error: ServingError | None = None


@dataclass
class Model:
    """The newest version under `base_path`, loaded before the one it replaces is let go.

    `poll` is called by one thread; the rest by any.
    """

    name: str
    base_path: Path
    load: Load
    log: Callable[[str], None]
    _serving: Servable | None = None
    _states: dict[int, VersionStatus] = field(default_factory=dict)
    _failed: dict[int, Any] = field(default_factory=dict)
    _said: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def servable(self, version: int | None = None) -> Servable:
        """The version asked for, or the one that serves.

        Raises:
            ServingError: NOT_FOUND, it is not available.
        """
        serving = self._serving
        if serving is None or version not in (None, serving.version):
            asked = f"Latest({self.name})" if version is None else f"Specific({self.name}, {version})"
            raise not_found(f"Servable not found for request: {asked}")
        return serving

    def statuses(self) -> dict[int, VersionStatus]:
        """Every version known, by number."""
        with self._lock:
            return dict(sorted(self._states.items()))

    @property
    def version(self) -> int | None:
        """The version that serves."""
        return self._serving.version if self._serving else None

    def poll(self) -> None:
        """Look at the base path once: load a newer version and swap, or let go of a removed one.

        A version that cannot be loaded is told once, and tried again when its files change. A base path that cannot be
        read changes nothing.
        """
        try:
            versions = find_versions(self.base_path)
            newest = max(versions, default=None)
            files = fingerprint(versions[newest]) if newest not in (None, self.version) else None
            if newest is None:
                self._say(why_no_versions(self.name, self.base_path))
        except OSError as error:
            self._say(f"cannot read the versions of {self.name}: {error}")
            return
        if newest is None:
            self._swap(None)
        elif newest != self.version and self._failed.get(newest) != files:
            try:
                self._swap(self._load(newest, versions[newest]))
                self._failed.clear()
            except ServingError:
                self._failed[newest] = files
                gc.collect()  # what was loaded of it

    def _load(self, version: int, path: Path) -> Servable:
        self.log(f"loading {self.name} version {version}")
        self._set(version, State.LOADING)
        try:
            return self.load(self.name, version, path)
        except Exception as error:  # whatever TensorFlow or a damaged file raises: the version is bad, the server not
            failure = _failure(error)
            self._set(version, State.END, failure)
            still = f"; version {self.version} keeps serving" if self._serving else ""
            self.log(f"cannot load {self.name} version {version} from {path}: {failure}{still}")
            raise failure from error

    def _swap(self, new: Servable | None) -> None:
        old, self._serving = self._serving, new
        if new:
            self._said = ""
            self._set(new.version, State.AVAILABLE)
        if old:
            self._set(old.version, State.UNLOADING)
            if not old.wait_until_idle(UNLOAD_TIMEOUT):
                self.log(f"{self.name} version {old.version} is still in use after {UNLOAD_TIMEOUT:.0f} s")
            number = old.version
            del old
            gc.collect()  # TensorFlow's functions refer to each other: without this the memory waits for chance
            self._set(number, State.END)
            self.log(f"unloaded {self.name} version {number}")

    def _set(self, version: int, state: State, error: ServingError | None = None) -> None:
        with self._lock:
            self._states[version] = VersionStatus(state, error)
            ended = sorted(number for number, status in self._states.items() if status.state is State.END)
            for number in ended[:-KEPT_STATES]:
                del self._states[number]

    def _say(self, text: str) -> None:
        if text != self._said:
            self.log(text)
            self._said = text


def _failure(error: Exception) -> ServingError:
    """Any exception as a status with a one-line message."""
    code = status_code(getattr(error, "error_code", grpc.StatusCode.UNKNOWN.value[0]))
    if isinstance(error, ServingError):
        code = error.code
    return ServingError(code, " ".join(str(error).split())[:400] or type(error).__name__)
