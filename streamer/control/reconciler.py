"""Makes what runs be what is to run: the roster's streams come, go and change, and what need not stop goes on."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from streamer.control.roster import Entry
from streamer.control.streams import Streams
from streamer.source import Source, Target
from streamer.stream.model import Model
from streamer.stream.pipeline import Pipeline
from streamer.values.sampling import Sampling

log = logging.getLogger(__name__)

CLOSING = 2.0
"""Seconds a camera's connection gets to close before a change counts as made."""


class Reconciler:
    """The streams whose cameras this service connects to itself, or that push to it; not those that are published."""

    def __init__(
        self,
        streams: Streams,
        *,
        make: Callable[[str, Entry], tuple[Source, Pipeline]],
        target_of: Callable[[Entry], Target],
        sub_of: Callable[[str, Entry], Source | None],
        model_of: Callable[[Sampling], Model],
        is_hasty: bool = False,
    ) -> None:
        """Begin with none.

        Args:
            streams: where they run, beside the published ones.
            make: makes a stream.
            target_of: what its source reads.
            sub_of: makes the source of its sub-stream, where it has one.
            model_of: the model it asks, which runs.
            is_hasty: streams come without waiting for others to have left, as where another replica may have them next.
        """
        self._streams = streams
        self._make, self._target_of, self._sub_of, self._model_of = make, target_of, sub_of, model_of
        self._sources: dict[str, Source] = {}
        self._subs: dict[str, Source] = {}
        self._is_hasty = is_hasty
        self._leaving: set[asyncio.Task[None]] = set()
        self._dropped: set[str] = set()
        """What was dropped since the newest entries came."""

    async def apply(self, entries: Mapping[str, Entry]) -> None:
        """Do what these entries ask for. What need not stop goes on, and its viewers watch on."""
        self._dropped.clear()
        gone = [(name, self._sources.pop(name)) for name in self._sources.keys() - entries.keys()]
        # At once: a camera that is away may take its time to close.
        leaving = [asyncio.create_task(self._remove(*each)) for each in gone]
        if self._is_hasty:
            for task in leaving:
                self._leave(task)
            await asyncio.sleep(0)  # each removal has begun: who comes back under that name waits for it
        else:
            await asyncio.gather(*leaving)
        await asyncio.gather(*(self._adapt(name, entries[name]) for name in self._sources))
        for name, entry in entries.items():
            if name not in self._sources and name not in self._dropped:
                await self._streams.free(name)
                if name not in self._dropped:
                    self._add(name, entry)  # at once: a publisher could take the name again

    def drop(self, name: str) -> None:
        """Begin to remove what another replica has now, whatever else is being done; it comes back by `apply`."""
        self._dropped.add(name)
        source = self._sources.pop(name, None)
        if source is not None:
            self._leave(asyncio.create_task(self._remove(name, source)))

    def _leave(self, removal: asyncio.Task[None]) -> None:
        self._leaving.add(removal)
        removal.add_done_callback(self._left)

    def _add(self, name: str, entry: Entry) -> None:
        self._sources[name], pipeline = self._make(name, entry)
        self._see_sub(name, entry, pipeline)
        self._streams.add(pipeline)

    async def _remove(self, name: str, source: Source) -> None:
        self._subs.pop(name, None)
        await self._streams.remove(name)
        await source.closed(within=CLOSING)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a stream did not end as it should", exc_info=error)

    async def _adapt(self, name: str, entry: Entry) -> None:
        source, pipeline = self._sources.get(name), self._streams.get(name)
        if source is None or pipeline is None:  # it was dropped, or the service is stopping
            return
        pipeline.origin = entry.origin
        sampling, target = entry.settings.sampling, self._target_of(entry)
        settings = entry.settings
        pipeline.change(self._model_of(sampling), sampling, settings.watching, settings.record.value())
        self._see_sub(name, entry, pipeline)
        turned = target != source.target or (pipeline.paused and not entry.paused)
        if entry.paused and not pipeline.paused:
            await pipeline.pause()
            await source.closed(within=CLOSING)
        if turned:
            source.aim(target)
            if not entry.paused:
                pipeline.restart()

    def _see_sub(self, name: str, entry: Entry, pipeline: Pipeline) -> None:
        """Have it another sub-stream, where that is to be another."""
        before, source = self._subs.get(name), self._sub_of(name, entry)
        if (None if before is None else before.target) == (None if source is None else source.target):
            return
        if source is None:
            del self._subs[name]
        else:
            self._subs[name] = source
        pipeline.sub.use(source)
