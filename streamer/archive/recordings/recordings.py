"""The front of this room: what recorders have kept of segments and boxes, and every question about them.

Recorders call from any thread and never wait. Questions are answered in threads of this room's own; one that the
database cannot answer now is `Overloaded`. Times are UTC, seconds since 1970; a span holds its beginning, not its end.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from streamer.archive import lying
from streamer.archive.database import Cursor, Database, DatabaseAway
from streamer.archive.recordings import box_table, seen_table, segment_sums, segment_table
from streamer.archive.recordings.bookmarks import bookmarks
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.found import RecordedDay, Removed, Seen, Span
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.retention import STEP, YOUNG, RecordingRetention
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.stream_boxes import StreamBoxes
from streamer.archive.recordings.upkeep import Upkeep
from streamer.archive.storage.bucket import Bucket
from streamer.archive.storage.object_file import ObjectFile
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded
from streamer.values.recording import Recording

log = logging.getLogger(__name__)

T = TypeVar("T")

WRITE_INTERVAL = 2.0
"""Seconds from one writing down of what is new to the next."""
TIDY_INTERVAL = 10.0
"""Seconds from one look at what may go to the next: the disk fills meanwhile."""
STEP_INTERVAL = 0.5
"""Seconds between two steps, while there is more."""
READERS = 2
"""Questions that are answered at a time: of SQLite they take turns anyhow."""
MOST_DOOMED = 1_000_000
"""Files that others removed while this replica was away."""
REMOVED_AT_ONCE = 1000
"""Segments of one request to remove a span, in steps."""


class Recordings:
    """One archive's."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        rules: RecordingRules,
        *,
        wall: Clock,
        opened: asyncio.Event,
        bucket: Bucket | None = None,
        replica: str | None = None,
    ) -> None:
        """Join it.

        Args:
            database: where the index is.
            folder: the files are below it.
            rules: how long they stay.
            wall: UTC, seconds since 1970.
            opened: set once the database is open; until then what is to be written waits.
            bucket: where files are that are not on this machine any more.
            replica: ours, of several that share the database; None: there is no cluster.
        """
        self._database, self._wall, self._opened, self._bucket = database, wall, opened, bucket
        self._writing, self._reading = Errands(1, "recordings-write"), Errands(READERS, "recordings-read")
        self._tidying = Errands(1, "recordings-tidy")
        self.files = RecordingFiles(folder, replica)
        """Where they lie."""
        self.held = Held()
        self.writer = IndexWriter(database, self.held, replica)
        self.retention = RecordingRetention(rules, database, self.files, self.writer, self.held)
        self.upkeep = Upkeep(database, self.files, self.held, self.retention)
        self.failing: str | None = None
        """Why nothing can be written down, as a clause; None while it can."""

    @property
    def folder(self) -> Path:
        """Of all recordings."""
        return self.files.folder

    async def write(self) -> None:
        """Write down what recorders say, until cancelled."""
        await self._opened.wait()
        while True:
            await asyncio.sleep(WRITE_INTERVAL)
            await self._flush()

    async def tidy(self) -> None:
        """Remove what may go, until cancelled."""
        await self._opened.wait()
        while True:
            try:
                more = await self._tidying.run(lambda: self.upkeep.step(self._wall()))
            except (DatabaseAway, OSError) as error:
                log.debug("recordings cannot be tidied now: %s", error)
                more = False
            await asyncio.sleep(STEP_INTERVAL if more else TIDY_INTERVAL)

    def days_fit(self, stream: str) -> float | None:
        """Days of this stream's that there is room for at the rate of the last day; None: that is not known.

        What `keep_days` lets go before is not considered.
        """
        return self.upkeep.days_fit.get(stream)

    async def settle(self) -> None:
        """Write down what waits, if that works, once nothing is being removed any more: before the end."""
        if self._opened.is_set():
            await self._tidying.run(lambda: None)
            await self._flush()

    async def _flush(self) -> None:
        try:
            await self._writing.run(self.writer.flush)
        except DatabaseAway as error:
            if self.failing is None:
                log.error("recordings cannot be written down: %s; it is tried again, and their files are kept", error)
            self.failing = str(error)
        else:
            if self.failing is not None:
                log.info("recordings are written down again")
            self.failing = None

    # ---- from recorders, in any thread; never waits

    def keep_as(self, stream: str, recording: Recording) -> None:
        """Go by these settings in how long the stream's are kept, and which seconds are a bookmarked event's."""
        self.retention.keep_as(stream, recording)

    def know(self, streams: Mapping[str, Recording | None]) -> None:
        """Go by what is known of all streams that replicas share; of None it cannot be told, and theirs stay."""
        self.retention.know(streams)

    def put(self, segment: Segment) -> None:
        """Have one written as it is now, with others, within two seconds; the newest of an id stands."""
        self.writer.put(segment)

    def boxes_of(self, stream: str) -> StreamBoxes:
        """Where that stream's samples go; the same for as long as this lives."""
        return self.writer.boxes_of(stream)

    # ---- for recovery; these block, in the caller's thread, and raise DatabaseAway

    async def opened(self) -> None:
        """Wait until there is an index to ask."""
        await self._opened.wait()

    def unended(self) -> Sequence[Segment]:
        """Those without an end, whole: of a service that was killed."""
        with self._database.reading() as cursor:
            left = segment_table.unended(cursor, self.files.replica)
        # What nobody's name is on may be another's.
        return [each for each in left if self.files.are_of(each) or self.files.is_there(each)]

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of these ids, of files that are here, that are written down or wait to be, or are to go."""
        ids, me = list(ids), self.files.replica
        with self._database.reading() as cursor:
            known = self.writer.known(ids) | segment_table.sizes_of(cursor, ids).keys()
            if me is None:
                return known
            found = segment_table.of_others(cursor, ids, me)
            doomed = {PurePosixPath(key).stem for key in lying.doomed(cursor, me, MOST_DOOMED)}
            there = {PurePosixPath(key).stem: key for key in lying.doomed_elsewhere(cursor, me, MOST_DOOMED)}
        taken = [there[id_] for id_ in ids if id_ in there]
        if found or taken:  # it had another name, or none, when it recorded them
            with self._database.writing() as cursor:
                segment_table.adopt(cursor, found, me)
                lying.take(cursor, me, taken)
        return known | doomed | there.keys()

    def put_now(self, segment: Segment) -> None:
        """Write one down before it returns."""
        with self._database.writing() as cursor:
            before = segment_table.sizes_of(cursor, [segment.id])
            segment_table.put(cursor, [replace(segment, replica=self.files.replica)])
        self.held.add(segment.stream, segment.size - before.get(segment.id, 0))

    def forget(self, ids: Iterable[str]) -> None:
        """Strike them, and their boxes."""
        ids = list(ids)
        self.writer.forget(ids)
        with self._database.writing() as cursor:
            segment_table.remove(cursor, ids)
            box_table.remove(cursor, ids)

    # ---- questions

    async def spans(self, stream: str, began: float, ended: float) -> Sequence[Span]:
        """In order, cut to what is asked for."""
        return await self._read(partial(segment_sums.spans, stream=stream, began=began, ended=ended))

    async def segments(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """Those of which some lies in the span, in order, with their fragments; the first `limit` of them."""
        return await self._read(
            partial(segment_table.within, stream=stream, began=began, ended=ended, limit=limit, whole=True)
        )

    async def outlines(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """The same with `init` and `fragments` empty."""
        return await self._read(partial(segment_table.within, stream=stream, began=began, ended=ended, limit=limit))

    async def one(self, id_: str) -> Segment | None:
        """The segment of that id; None: there is none."""
        return await self._read(partial(segment_table.one, id_=id_))

    async def at(self, stream: str, time: float) -> Segment | None:
        """The one that holds this moment, else the next that begins within 2 s of it; None: there is none."""
        return await self._read(partial(segment_table.at, stream=stream, time=time))

    async def days(self, stream: str, began: float, ended: float, offset: int = 0) -> Sequence[RecordedDay]:
        """In order, those with something. `offset`: seconds by which their midnight is before that of UTC."""
        return await self._read(partial(segment_sums.days, stream=stream, began=began, ended=ended, offset=offset))

    async def seen(self, stream: str, began: float, ended: float, step: int) -> Sequence[Seen]:
        """In steps of so many seconds, whole minutes, counted from 1970; by time, then class."""
        return await self._read(partial(seen_table.between, stream=stream, began=began, ended=ended, step=step))

    async def boxes(self, ids: Sequence[str]) -> Mapping[str, BoxColumns]:
        """By segment, of those that have some; what still waits to be written too."""

        def ask(cursor: Cursor) -> dict[str, BoxColumns]:
            waiting = {
                id_: columns
                for source in self.writer.boxes().values()
                for id_ in ids
                if (columns := source.columns(id_)) is not None and len(columns)
            }
            return box_table.of(cursor, [id_ for id_ in ids if id_ not in waiting]) | waiting

        return await self._read(ask)

    async def streams(self) -> Sequence[str]:
        """The names of all that there are recordings of, in order; some may be configured no more."""
        return await self._read(segment_sums.streams)

    def path(self, segment: Segment) -> Path:
        """Where its file is, or would be."""
        return self.files.path(segment)

    def source(self, segment: Segment) -> Path | ObjectFile:
        """What it is read from: a file here, in object storage, or with another replica. Looks here, which blocks."""
        return self.files.source(segment, self._bucket)

    def open(self, segment: Segment) -> BinaryIO | ObjectFile:
        """Its file, wherever it is, to read anywhere in it. Blocks, and so does each read.

        Raises:
            FileNotFoundError: it is not there any more.
            OSError: it cannot be opened. What is elsewhere says so when it is read, as `StorageAway`.
        """
        try:
            return self.files.path(segment).open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            elsewhere = self.files.elsewhere(segment, self._bucket)
            if elsewhere is None:
                raise
            return elsewhere

    # ---- changes

    async def remove(self, stream: str, began: float, ended: float) -> Removed:
        """Let go of every closed segment that lies wholly in the span; of bookmarked events' none.

        What has just ended is still being written of, and stays: for YOUNG seconds.
        """

        def wholly(cursor: Cursor) -> list[Segment]:
            marked = bookmarks(cursor, self.retention.rules)
            last = min(ended, self._wall() - YOUNG)
            found = segment_table.within(cursor, stream, began, ended, REMOVED_AT_ONCE)
            return [
                each
                for each in found
                if each.began_at >= began
                and each.ended_at is not None
                and each.ended_at <= last
                and not marked.hold(each)
            ]

        found = await self._read(wholly)
        removed = Removed(0, 0)
        for place in range(0, len(found), STEP):
            some = found[place : place + STEP]
            gone = await self._told(self._tidying, partial(self.retention.remove, some))
            removed = Removed(removed.segments + gone.segments, removed.bytes + gone.bytes)
        return removed

    # ---- in threads

    async def _read(self, question: Callable[[Cursor], T]) -> T:
        def ask() -> T:
            with self._database.reading() as cursor:
                return question(cursor)

        return await self._told(self._reading, ask)

    async def _told(self, errands: Errands, errand: Callable[[], T]) -> T:
        if not self._opened.is_set():
            raise Overloaded("the archive cannot be used now: it is not open yet", 10)
        try:
            return await errands.run(errand)
        except DatabaseAway as error:
            raise Overloaded(f"the archive cannot be used now: {error}", 10) from None
