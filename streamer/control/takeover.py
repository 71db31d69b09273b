"""What the API changed of a service before it was a replica, on its way into the registry: once.

Its state file says it. What the replicas have of a name holds, also where that is that it was removed: a restart half
way, or another replica with such a file, changes nothing that is there. When all is told the file gets another name,
under which nobody reads it, and is there for who goes back.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any

from streamer.cluster.bucket import LARGEST
from streamer.cluster.registry import Registry, Writing
from streamer.control.roster import Roster
from streamer.control.statefile import Kept, StateFile
from streamer.values.errors import ConfigError

log = logging.getLogger(__name__)


class Takeover:
    """Of one service."""

    def __init__(self, state: StateFile | None, registry: Registry) -> None:
        """Read what was kept. Blocks.

        Args:
            state: the file; None: there is none.
            registry: of the streams that replicas share.
        """
        self._state, self._registry = state, registry
        kept = _read(state)
        self._added, self._paused = kept.streams, kept.paused
        self._pending = sorted({*kept.streams, *kept.paused})
        """Names of which the registry is not known to say anything yet."""
        self._taken: list[str] = []
        self._done = asyncio.Event()

    @property
    def streams(self) -> Mapping[str, Mapping[str, Any]]:
        """The settings of what the API had added and the registry does not know yet, by name."""
        return {name: self._added[name] for name in self._pending if name in self._added}

    @property
    def is_due(self) -> bool:
        """Whether there is anything to take over."""
        return bool(self._pending)

    def due(self, mine: Collection[str]) -> list[Writing]:
        """What is to be written; empty when all that is to be taken over was heard of as written.

        Args:
            mine: names of our file's streams.
        """
        if not self._pending or not self._registry.is_heard:
            return []
        found, pending = [], []
        for name in self._pending:
            writings = self._of_added(name, mine) if name in self._added else self._of_paused(name, mine)
            found += writings
            if writings:
                pending.append(name)
        self._pending = pending
        if not pending:
            self._done.set()
        return found

    async def run(self) -> None:
        """When all was told, give the file another name; and then nothing more, until cancelled."""
        await self._done.wait()
        if self._state is not None:
            await self._set_by(self._state)
        await asyncio.Event().wait()

    def _of_added(self, name: str, mine: Collection[str]) -> list[Writing]:
        registry, settings = self._registry, self._added[name]
        known = registry.record("added", name)
        if known is not None and known.settings == settings:  # by us, or by another that has the same file
            self._taken.append(name)
            return []
        writing = registry.writing("added", name, settings)
        why = self._held_by(name, mine)
        if why is None and len(writing.record) > LARGEST:
            why = f"its settings are more than {LARGEST} bytes"
        if why is None and not registry.has_room("added", name):
            why = "the replicas have as many streams as may be"
        if why is not None:
            log.warning("%s: was added through the API before the cluster, and is not taken over: %s", name, why)
            return []
        # First: else its camera is connected to for a moment.
        return [*self._pausing(name), writing]

    def _held_by(self, name: str, mine: Collection[str]) -> str | None:
        """Why the registry's word of a name holds; None: it has none."""
        record = self._registry.record("file", name)
        if name in mine:
            return "the configuration file has a stream of that name, which holds"
        if record is not None:
            return f"the configuration file of {record.replica} has a stream of that name, which holds"
        if self._registry.record("added", name) is not None:
            return "another stream of that name was added to the cluster, which holds"
        if self._registry.knew("added", name):
            return "it was removed from the cluster"
        return None

    def _of_paused(self, name: str, mine: Collection[str]) -> list[Writing]:
        """Of a stream of a file that was paused: it stays so, unless the replicas were told otherwise."""
        if self._registry.record("paused", name) is not None:
            self._taken.append(f"that {name} is paused")
        elif name not in mine and not self._registry.has(name):
            log.warning(
                "%s: was paused through the API before the cluster, and that is not taken over: "
                "there is no stream of that name",
                name,
            )
            return []
        return self._pausing(name)

    def _pausing(self, name: str) -> list[Writing]:
        if name not in self._paused or self._registry.knew("paused", name):
            return []
        return [self._registry.writing("paused", name, {})]

    async def _set_by(self, state: StateFile) -> None:
        taken, name = ", ".join(self._taken) or "nothing", state.path.name
        try:
            kept_as = await state.set_by()
        except OSError as error:
            log.warning(
                "taken over into the cluster: %s; %s cannot be renamed: %s; remove it", taken, name, error.strerror
            )
        else:
            log.info("taken over into the cluster: %s; %s is kept as %s", taken, name, kept_as)


def _read(state: StateFile | None) -> Kept:
    if state is None:
        return Kept()
    kept = state.read()
    try:
        Roster.of({}, kept)
    except ConfigError as error:
        state.put_aside(str(error))
        return Kept()
    return kept
