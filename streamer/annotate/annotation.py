"""One run: pictures are read, asked about in batches, and their answers written, all at once and in order.

files ─► reading ─► batches ─► predictor ═gRPC═► model server
         (threads)                 │
         files, journal ◄─ answers ┘  (threads)
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from streamer.annotate.answer import Answer, Unreadable, found_of
from streamer.annotate.asking import Asking
from streamer.annotate.listing import Given
from streamer.annotate.reading import Failed, Known, Outcome, Past, Reading, VideoDone
from streamer.annotate.shot import Look, Origin, Shot
from streamer.values.detections import Detections
from streamer.values.errands import Errands

AHEAD = 2
"""Batches that are read while others are asked about."""
WRITERS = 4
"""Threads that write: each waits for the disk, not for a core."""
SETTLING = 5.0
"""Seconds that what a thread is at may take once all is over."""


class Keeper(Past, Protocol):
    """Where answers go: `Output` or `Printed`."""

    def write(self, shot: Shot, answer: Answer) -> None:
        """All files about one picture. Blocks."""

    def note(self, answer: Answer, origin: Origin) -> None:
        """It is done. Blocks; in order."""

    def note_video(self, name: str, origin: Origin) -> None:
        """All frames of a video are noted. Blocks; in order."""


@dataclass
class Tally:
    """What came of a run."""

    done: int = 0
    known: int = 0
    """Pictures and videos about which nothing was left to do."""
    failed: int = 0
    found: Counter[str] = field(default_factory=Counter)
    """Things by label, in what was done."""


_Batch = tuple[list[Shot | VideoDone], "asyncio.Task[list[Detections]] | None"]


class Annotation:
    """One run."""

    def __init__(
        self,
        asking: Asking,
        look: Look,
        least: Mapping[str, float],
        keeper: Keeper,
        *,
        on_failed: Callable[[Failed], None],
        on_progress: Callable[[Tally], None],
    ) -> None:
        """Join it; nothing is read yet.

        Args:
            asking: has met the model.
            look: how pictures are looked at.
            least: by label, the least score that counts.
            keeper: where answers go.
            on_failed: told of each file that cannot be read.
            on_progress: told after each batch.
        """
        self.tally = Tally()
        self._asking, self._pace, self._least, self._keeper = asking, asking.pace, least, keeper
        self._on_failed, self._on_progress = on_failed, on_progress
        self._reading = Reading(look, keeper)
        self._writing, self._noting = Errands(WRITERS, "writing"), Errands(1, "noting")
        self._slots = asyncio.Semaphore(asking.pace.in_flight)

    async def run(self, files: Sequence[Given]) -> Tally:
        """Look at all of them.

        Raises:
            SightlineError: the model server is gone for good, or nothing can be written; what is done is kept.
        """
        read: asyncio.Queue[Awaitable[Outcome] | None] = asyncio.Queue(AHEAD * self._pace.batch)
        asked: asyncio.Queue[_Batch | None] = asyncio.Queue(self._pace.in_flight)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(files, read, group))
                group.create_task(self._batch(read, asked, group))
                group.create_task(self._write(asked))
        except BaseExceptionGroup as several:
            raise _first(several) from None
        finally:
            for errands in (self._reading.errands, self._writing, self._noting):
                await errands.settle(SETTLING)
        return self.tally

    async def _read(
        self, files: Sequence[Given], read: "asyncio.Queue[Awaitable[Outcome] | None]", group: asyncio.TaskGroup
    ) -> None:
        await self._reading.run(files, read.put, group)
        await read.put(None)

    async def _batch(
        self,
        read: "asyncio.Queue[Awaitable[Outcome] | None]",
        asked: "asyncio.Queue[_Batch | None]",
        group: asyncio.TaskGroup,
    ) -> None:
        """Full batches, for the model gives most so; what comes last in two parts, which are looked at side by side."""
        items: list[Shot | VideoDone] = []
        while (coming := await read.get()) is not None:
            outcome = await coming
            if isinstance(outcome, Failed):
                self.tally.failed += 1
                self._on_failed(outcome)
            elif isinstance(outcome, Known):
                self.tally.known += 1
                self._on_progress(self.tally)
            else:
                if len(items) >= self._pace.batch:
                    await self._send(items, asked, group)
                    items = []
                items.append(outcome)
        half = (len(items) + 1) // 2
        await self._send(items[:half], asked, group)
        await self._send(items[half:], asked, group)
        await asked.put(None)

    async def _send(
        self, items: list[Shot | VideoDone], asked: "asyncio.Queue[_Batch | None]", group: asyncio.TaskGroup
    ) -> None:
        call = None
        if samples := [item.sample for item in items if isinstance(item, Shot)]:
            await self._slots.acquire()
            call = group.create_task(self._asking.ask(samples))
            call.add_done_callback(lambda _: self._slots.release())
        await asked.put((items, call))

    async def _write(self, asked: "asyncio.Queue[_Batch | None]") -> None:
        while (batch := await asked.get()) is not None:
            items, call = batch
            detections = iter(await call if call is not None else ())
            pairs = [(item, self._answer(item, next(detections)) if isinstance(item, Shot) else None) for item in items]
            failed = await asyncio.gather(*(self._writing.run(partial(self._files, *pair)) for pair in pairs))
            for failure in filter(None, failed):
                self.tally.failed += 1
                self._on_failed(failure)
            kept = [pair for pair, failure in zip(pairs, failed, strict=True) if failure is None]
            await self._noting.run(partial(self._note, kept))
            for _, answer in kept:
                self._count(answer)
            self._on_progress(self.tally)

    def _answer(self, shot: Shot, detections: Detections) -> Answer:
        """What counts of it. A class that the model has no name for is none that could be learned."""
        found = tuple(
            each for each in found_of(detections) if each.label in self._least and each.score >= self._least[each.label]
        )
        return Answer(shot.name, detections.width, detections.height, found, shot.seconds)

    def _files(self, item: Shot | VideoDone, answer: Answer | None) -> Failed | None:
        if isinstance(item, Shot) and answer is not None:
            try:
                self._keeper.write(item, answer)
            except Unreadable as error:  # it is gone, where it is read once more to be drawn on
                return Failed(Path(item.origin.path), str(error))
        return None

    def _note(self, pairs: Sequence[tuple[Shot | VideoDone, Answer | None]]) -> None:
        for item, answer in pairs:
            if isinstance(item, VideoDone):
                self._keeper.note_video(item.name, item.origin)
            elif answer is not None:
                self._keeper.note(answer, item.origin)

    def _count(self, answer: Answer | None) -> None:
        if answer is not None:
            self.tally.done += 1
            self.tally.found.update(each.label for each in answer.found)


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first: whoever waits for it goes wrong too."""
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
