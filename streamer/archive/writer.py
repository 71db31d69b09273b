"""Keeps events: taken on the event loop without waiting, written in a thread, and each is told of once it is kept.

Where the disk is full or the database away, they wait (waiting.py), and are written once it takes them again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streamer.archive import claims, event_table
from streamer.archive.alerts.judge import Judge, Judged
from streamer.archive.database import BadRow, Database, DatabaseAway
from streamer.archive.kept import Kept
from streamer.archive.pictures import Pictures
from streamer.archive.waiting import Entry, Waiting
from streamer.values.clock import Clock
from streamer.values.epoch import Epoch
from streamer.values.errands import Errands
from streamer.values.event import Event, Picture

log = logging.getLogger(__name__)

BATCH = 64
"""Events in one transaction."""
MOST_UNWANTED = 10_000
"""Removed events that are remembered, each until long after it has ended."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds from a failure to the next attempt, doubled each time."""


@dataclass(slots=True)
class _Outcome:
    """What came of one batch."""

    judged: Judged = field(default_factory=Judged)
    outrun: int = 0
    refused: int = 0
    pictures_lost: int = 0


class Writer:
    """One archive's."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        errands: Errands,
        judge: Judge,
        *,
        clock: Clock,
        on_kept: Callable[[Sequence[Kept]], None],
        on_judged: Callable[[Judged], None],
    ) -> None:
        """Have nothing to write yet.

        Args:
            database: where events go.
            pictures: where theirs go.
            errands: the one thread that writes.
            judge: puts them into the database, with what comes of them.
            clock: monotonic seconds.
            on_kept: told on the event loop of events that are kept now, and not before.
            on_judged: told there what else came of them.
        """
        self._database, self._pictures, self._errands, self._judge = database, pictures, errands, judge
        self._clock, self._on_kept, self._on_judged = clock, on_kept, on_judged
        self.waiting = Waiting()
        self._filled = asyncio.Event()
        self._refused = self._pictures_refused = 0
        self._unwanted: dict[str, None] = {}
        """Ids of events that were removed, the newest last: one may still go on, and is not kept again."""
        self.kept = 0
        """Events written, each as often as it changed."""
        self.outrun = 0
        """Events that were not kept, for they began after another replica's newer claim to their stream."""
        self.failures = 0
        """Attempts that failed."""
        self.failing: str | None = None
        """Why nothing can be kept, as a clause; None while it can."""
        self.failing_since: float | None = None

    @property
    def lost(self) -> int:
        """Events that nobody will find: they waited too long, or the database would not have them."""
        return self.waiting.lost + self._refused

    @property
    def pictures_lost(self) -> int:
        """Pictures that could not be kept."""
        return self.waiting.pictures_lost + self._pictures_refused

    def put(self, event: Event, picture: Picture | None = None, epoch: Epoch | None = None) -> None:
        """Have an event kept as it is now; never waits.

        Args:
            event: as it is.
            picture: that is new.
            epoch: of the claim by which its stream is ours; None: there is no cluster, or no claim.
        """
        self.waiting.put(Entry(event, picture, epoch=epoch))
        self._filled.set()

    async def run(self) -> None:
        """Write until cancelled."""
        pause = FIRST_PAUSE
        while True:
            await self._filled.wait()
            if await self._write_some():
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def settle(self) -> None:
        """Write what waits, for as long as that works: before the end."""
        while self.waiting and await self._write_some():
            pass

    async def _write_some(self) -> bool:
        """Write the oldest of what waits; whether that worked."""
        batch = self.waiting.take(BATCH)
        if not self.waiting:
            self._filled.clear()
        try:
            outcome = await self._errands.run(lambda: self._write(batch))
        except DatabaseAway as error:
            self._failed(str(error))
            self._put_back(batch)
            return False
        except asyncio.CancelledError:
            self._put_back(batch)  # it may be written by now: once more does no harm
            raise
        except BaseException:
            self._refused += len(batch)  # what fails in a way nobody foresaw would fail again
            raise
        self._succeeded(outcome)
        return True

    def _put_back(self, batch: list[Entry]) -> None:
        self.waiting.put_back(batch)
        if self.waiting:
            self._filled.set()

    def _failed(self, why: str) -> None:
        self.failures += 1
        if self.failing is None:
            self.failing_since = self._clock()
            log.error("the archive cannot keep events: %s; live video goes on, and events wait", why)
        self.failing = why

    def _succeeded(self, outcome: _Outcome) -> None:
        if self.failing is not None:
            log.info("the archive keeps events again; %d still wait", len(self.waiting))
        self.failing = self.failing_since = None
        self.kept += len(outcome.judged.kept)
        self.outrun += outcome.outrun
        self._refused += outcome.refused
        self._pictures_refused += outcome.pictures_lost
        self._on_judged(outcome.judged)
        self._on_kept(outcome.judged.kept)

    # ---- in the thread

    def forget(self, id_: str) -> None:
        """An event is removed: what else there comes of it is not kept."""
        self._unwanted[id_] = None
        while len(self._unwanted) > MOST_UNWANTED:
            del self._unwanted[next(iter(self._unwanted))]

    def _write(self, batch: Sequence[Entry]) -> _Outcome:
        """Pictures first: no row names a file that is not there."""
        outcome = _Outcome()
        batch = [entry for entry in batch if entry.event.id not in self._unwanted]
        for event in self._late(batch):
            self.forget(event.id)
            outcome.outrun += 1
            log.info("%s: an event is not kept: it began after another replica had claimed the stream", event.stream)
        batch = [entry for entry in batch if entry.event.id not in self._unwanted]
        for entry in batch:
            self._write_picture(entry, outcome)
        entries = [(entry.event, entry.picture if entry.is_written else None) for entry in batch]
        try:
            with self._database.writing() as cursor:
                judged = self._judge.put(cursor, entries)
        except BadRow:
            for event, picture in entries:
                self._write_alone(event, picture, outcome)
        else:
            outcome.judged = judged
        return outcome

    def _late(self, batch: Sequence[Entry]) -> list[Event]:
        """Those that are not kept, since a newer claim than theirs was there when they began."""
        claimed = [entry for entry in batch if entry.epoch is not None]
        if not claimed:
            return []
        with self._database.reading() as cursor:
            newest = claims.newest(cursor, {entry.event.stream for entry in claimed})
            late = [
                entry.event
                for entry in claimed
                if (by := newest.get(entry.event.stream)) is not None and by.outruns(entry.event, entry.epoch)
            ]
            known = event_table.those_of(cursor, [event.id for event in late])
        return [event for event in late if event.id not in known]

    def _write_picture(self, entry: Entry, outcome: _Outcome) -> None:
        if entry.picture is None or entry.is_written:
            return
        try:
            self._pictures.write(entry.event, entry.picture)
        except OSError as error:
            outcome.pictures_lost += 1
            log.debug("a picture of %s cannot be kept: %s", entry.event.stream, error.strerror)
        else:
            entry.is_written = True

    def _write_alone(self, event: Event, picture: Picture | None, outcome: _Outcome) -> None:
        """One that the database will not have must not keep the others out."""
        try:
            with self._database.writing() as cursor:
                judged = self._judge.put(cursor, [(event, picture)])
            outcome.judged.add(judged)
        except BadRow as error:
            outcome.refused += 1
            log.error("the database refuses event %s of %s: %s", event.id, event.stream, error)
