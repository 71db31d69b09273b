"""One model by name: its versions on disk, those that serve, and how one replaces another."""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import grpc

from serving.errors import ServingError, not_found, status_code
from serving.metrics import Metrics
from serving.model_config import ModelConfig
from serving.servable import Servable
from serving.versions import find_versions, fingerprint, why_no_versions

Load = Callable[[str, int, Path], Servable]
"""Model name, version, version directory to a loaded and warmed up version; raises anything."""

KEPT_STATES = 16
"""Versions whose end is still told by GetModelStatus."""
QUICK_UNLOAD = 0.5
"""Seconds that calls of a version which is let go are waited for before that goes on beside everything else."""
SLOW_UNLOAD = 60.0
"""Seconds after which such calls are worth a line."""


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


@dataclass(frozen=True)
class Retries:
    """How often a version that cannot be loaded is tried again, whether or not its files change."""

    limit: int = 0
    interval: float = 60.0
    """Seconds."""


@dataclass(frozen=True)
class _Failure:
    files: Any
    attempts: int
    at: float


@dataclass(eq=False)
class Model:
    """The versions under a base path that its policy asks for, new ones loaded before old ones are let go.

    `poll`, `retire` and `close` are called by one thread at a time; the rest by any.
    """

    config: ModelConfig
    load: Load
    log: Callable[[str], None]
    metrics: Metrics
    retries: Retries = Retries()
    clock: Callable[[], float] = time.monotonic
    _serving: dict[int, Servable] = field(default_factory=dict)
    """Replaced as a whole, never changed: it is read without a lock."""
    _states: dict[int, VersionStatus] = field(default_factory=dict)
    _failed: dict[int, _Failure] = field(default_factory=dict)
    _said: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What callers know it as."""
        return self.config.name

    @property
    def available(self) -> list[int]:
        """The versions that serve, ascending."""
        return sorted(self._serving)

    def hold(self, version: int | None = None) -> Servable:
        """The version asked for, or the newest that serves, kept for one call: the caller must `release` it.

        Raises:
            ServingError: NOT_FOUND, it is not available.
        """
        while True:
            serving = self._serving
            servable = serving.get(max(serving, default=0) if version is None else version)
            if servable is None:
                raise not_available(self.name, version)
            if servable.hold():
                return servable
            # It was let go in this very moment: look again.

    def statuses(self) -> dict[int, VersionStatus]:
        """Every version known, by number, newest first."""
        with self._lock:
            return dict(sorted(self._states.items(), reverse=True))

    def poll(self, *, starting: bool = False) -> None:
        """Look at the base path once: load what the policy asks for, then let go of the rest.

        A version that cannot be loaded is told once, and tried again when its files change. While none of the versions
        asked for can serve, what serves stays; so it does while the base path cannot be read. When nothing there is
        asked for, nothing serves. When `starting`, whoever starts the server tells what ends the start.
        """
        try:
            versions = find_versions(self.config.base_path)
        except OSError as error:
            self._say(f"cannot read the versions of {self.name}: {error}")
            return
        aspired = self.config.policy.choose(versions)
        if not aspired:
            self._say(self._why_none(versions))
        for version in sorted(aspired - self._serving.keys(), reverse=True):
            self._try(version, versions[version], starting=starting)
        if not aspired or aspired & self._serving.keys():
            for version in sorted(self._serving.keys() - aspired):
                self._unload(version)
        if aspired and aspired <= self._serving.keys():
            self._said = ""

    def retire(self) -> None:
        """Let go of every version."""
        for version in self.available:
            self._unload(version)

    def close(self) -> None:
        """Free the memory of what serves; nobody may be asking any more."""
        serving, self._serving = self._serving, {}
        for servable in serving.values():
            servable.unload(0)

    def failures(self) -> dict[int, ServingError]:
        """Why versions that are asked for do not serve, once nobody tries them any more."""
        return {
            version: status.error
            for version, status in self.statuses().items()
            if status.error and version in self._failed
        }

    def _try(self, version: int, path: Path, *, starting: bool) -> None:
        files = fingerprint(path)
        before = self._failed.get(version)
        if before and before.files != files:
            before = None
        if before and (before.attempts > self.retries.limit or self.clock() - before.at < self.retries.interval):
            return
        attempts = before.attempts + 1 if before else 1
        self._set(version, State.START)
        loaded = self._load(version, path)
        if isinstance(loaded, ServingError):
            self._failed[version] = _Failure(files, attempts, self.clock())
            last = attempts > self.retries.limit
            # As there: it counts as loading until it is given up.
            self._set(version, State.END if last else State.LOADING, loaded if last else None)
            still = f"; version {self.available[-1]} keeps serving" if self._serving else ""
            again = "" if last else f"; trying again in {self.retries.interval:g} s"
            if still or again or not starting:
                self.log(f"cannot load {self.name} version {version} from {path}: {loaded}{still}{again}")
            gc.collect()  # what was loaded of it
            return
        self._failed.pop(version, None)
        self._serving = {**self._serving, version: loaded}
        self._set(version, State.AVAILABLE)
        self.log(f"{self.name} version {version} is available")

    def _load(self, version: int, path: Path) -> Servable | ServingError:
        """The version, or why not: an error that was never raised, whose traceback would keep what was loaded."""
        self.log(f"loading {self.name} version {version}")
        self._set(version, State.LOADING)
        started = self.clock()
        try:
            loaded: Servable | ServingError = self.load(self.name, version, path)
        except Exception as error:  # noqa: BLE001  whatever TensorFlow or a damaged file raises: the version is bad
            loaded = _failure(error)
        succeeded = not isinstance(loaded, ServingError)
        self.metrics.load(str(path), succeeded=succeeded, seconds=self.clock() - started)
        return loaded

    def _unload(self, version: int) -> None:
        servable = self._serving[version]
        self._serving = {number: other for number, other in self._serving.items() if number != version}
        self._set(version, State.UNLOADING)
        if servable.unload(QUICK_UNLOAD):
            self._unloaded(version)
        else:
            name = f"unload {self.name} {version}"
            threading.Thread(target=self._wait_for_callers, args=(version, servable), name=name, daemon=True).start()

    def _wait_for_callers(self, version: int, servable: Servable) -> None:
        if not servable.unload(SLOW_UNLOAD):
            self.log(f"{self.name} version {version} is still in use after {SLOW_UNLOAD:.0f} s")
            servable.unload(None)
        self._unloaded(version)

    def _unloaded(self, version: int) -> None:
        gc.collect()  # a graph's parts refer to each other: without this the memory waits for chance
        if version not in self._serving:  # else it was loaded again meanwhile
            self._set(version, State.END)
        self.log(f"unloaded {self.name} version {version}")

    def _why_none(self, versions: dict[int, Path]) -> str:
        if versions:
            found = ", ".join(map(str, sorted(versions)))
            return f"none of the versions asked for of {self.name} is under {self.config.base_path}; there are {found}"
        return why_no_versions(self.name, self.config.base_path)

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


def not_available(name: str, version: int | None) -> ServingError:
    """What a request for a version that does not serve is answered, whatever the reason."""
    asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return not_found(f"Servable not found for request: {asked}")


def _failure(error: Exception) -> ServingError:
    """Any exception as a status with a one-line message."""
    code = status_code(getattr(error, "error_code", grpc.StatusCode.UNKNOWN.value[0]))
    if isinstance(error, ServingError):
        code = error.code
    return ServingError(code, " ".join(str(error).split())[:400] or type(error).__name__)
