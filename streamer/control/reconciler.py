"""Makes what runs be what is to run: the roster's streams come, go and change, and what need not stop goes on."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from streamer.control.roster import Entry
from streamer.control.streams import Streams
from streamer.source import Source, Target
from streamer.stream.model import Model
from streamer.stream.pipeline import Pipeline
from streamer.values.ending import heed
from streamer.values.sampling import Sampling
from streamer.values.supervision import PAUSE

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
        on_done: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin with none.

        Args:
            streams: where they run, beside the published ones.
            make: makes a stream.
            target_of: what its source reads.
            sub_of: makes the source of its sub-stream, where it has one.
            model_of: the model it asks, which runs.
            is_hasty: each stream comes, changes and leaves without waiting for any other, as where replicas share them.
            on_done: told, of one that is hasty, each time that nothing is left but what fails. Must not raise.
        """
        self._streams = streams
        self._make, self._target_of, self._sub_of, self._model_of = make, target_of, sub_of, model_of
        self._sources: dict[str, Source] = {}
        self._subs: dict[str, Source] = {}
        self._is_hasty, self._on_done = is_hasty, on_done
        self._leaving: set[asyncio.Task[None]] = set()
        self._wanted: dict[str, Entry] = {}
        """What the newest entries ask for, but for what was dropped since they came."""
        self._unseen: set[str] = set()
        """Names that are to be looked at, by what makes each."""
        self._making: dict[str, asyncio.Task[None]] = {}
        self._failing: dict[str, str] = {}
        """Of those that are made: how the last try of each failed."""

    async def apply(self, entries: Mapping[str, Entry]) -> None:
        """Do what these entries ask for. What need not stop goes on, and its viewers watch on.

        When this returns it is done; where we are hasty, all of it has begun.
        """
        self._wanted = dict(entries)
        # At once: a camera that is away may take its time to close.
        leaving = [self._begin_removal(name) for name in self._sources.keys() - entries.keys()]
        if self._is_hasty:
            for name in entries:
                self._look_at(name)
            await asyncio.sleep(0)
            self._look_whether_done()
            return
        await asyncio.gather(*leaving)
        await asyncio.gather(*(self._make_so(name) for name in self._sources))
        for name in [name for name in entries if name not in self._sources]:
            await self._make_so(name)

    def drop(self, name: str) -> None:
        """Begin to remove what another replica has now, whatever else is being done; it comes back by `apply`."""
        self._wanted.pop(name, None)
        if name in self._sources:
            self._begin_removal(name)

    async def close(self) -> None:
        """Make nothing more of what is to be."""
        self._wanted.clear()
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    # ---- one stream, for itself

    def _look_at(self, name: str) -> None:
        """Have it made what it is to be: by a task of its own, which looks again if it is at it already."""
        self._unseen.add(name)
        if name not in self._making:
            self._making[name] = asyncio.create_task(self._see_to(name), name=f"making-{name}")

    async def _see_to(self, name: str) -> None:
        try:
            while name in self._unseen:
                self._unseen.discard(name)
                try:
                    await self._make_so(name)
                    self._failing.pop(name, None)
                except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  it is logged
                    # Also where what it waited for was cancelled, and not itself: else nobody would run the stream.
                    heed()
                    self._note(name, error)
                    self._unseen.add(name)
                    await asyncio.sleep(PAUSE)
        finally:
            del self._making[name]
            self._failing.pop(name, None)
            self._look_whether_done()

    def _note(self, name: str, error: BaseException) -> None:
        """A try has failed: that is told once, and the others' end is not kept back by it."""
        before = self._failing.get(name)
        self._failing[name] = repr(error)
        if self._failing[name] != before:
            log.error("stream %s could not be made what it is to be; again every %g s", name, PAUSE, exc_info=error)
        if before is None:
            self._look_whether_done()

    async def _make_so(self, name: str) -> None:
        entry = self._wanted.get(name)
        if entry is None:
            return
        if name in self._sources:
            await self._adapt(name, entry)
            return
        await self._streams.free(name)
        entry = self._wanted.get(name)  # it may have been dropped meanwhile, or changed
        if entry is not None:
            self._add(name, entry)  # at once: a publisher could take the name again

    def _add(self, name: str, entry: Entry) -> None:
        source, pipeline = self._make(name, entry)
        try:
            self._see_sub(name, entry, pipeline)
            self._streams.add(pipeline)
        except BaseException:
            self._subs.pop(name, None)  # it was given to a pipeline that nobody has: the next one is to have it
            raise
        self._sources[name] = source  # last: what has one is taken for made

    def _begin_removal(self, name: str) -> asyncio.Task[None]:
        self._subs.pop(name, None)
        removal = asyncio.create_task(self._remove(name, self._sources.pop(name)))
        if self._is_hasty:  # nobody waits for it
            self._leaving.add(removal)
            removal.add_done_callback(self._left)
        return removal

    async def _remove(self, name: str, source: Source) -> None:
        await self._streams.remove(name)
        await source.closed(within=CLOSING)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a stream did not end as it should", exc_info=error)
        self._look_whether_done()

    def _look_whether_done(self) -> None:
        if self._making.keys() <= self._failing.keys() and not self._leaving:
            self._on_done()

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
        pipeline.sub.use(source)
        if source is None:
            del self._subs[name]
        else:
            self._subs[name] = source
