"""What is kept of what was seen: put in without waiting, found again, judged, and let go in time.

Every question is answered in threads of the archive's own; one that the database cannot answer now is `Overloaded`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from streamer.archive import event_table
from streamer.archive.alerts import outbox_table, rule_table
from streamer.archive.alerts.alerts import Alerts
from streamer.archive.alerts.judge import Judge, Judged
from streamer.archive.alerts.leases import Leases
from streamer.archive.alerts.stored_outbox import StoredOutbox
from streamer.archive.database import Cursor, Database, DatabaseAway
from streamer.archive.desk import Desk
from streamer.archive.ends import Ends
from streamer.archive.facets import Facets, facets
from streamer.archive.following import Following
from streamer.archive.kept import Kept, Review
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.query import Query
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.retention import Retention, RetentionRules
from streamer.archive.storage.bucket import Bucket
from streamer.archive.storage.other_disks import OtherDisks
from streamer.archive.upkeep import Upkeep
from streamer.archive.uploads import Uploads
from streamer.archive.writer import Writer
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError
from streamer.values.event import Event, Picture

log = logging.getLogger(__name__)

TIDY_INTERVAL = 60.0
"""Seconds from one look at what may go to the next."""
STEP_INTERVAL = 0.5
"""Seconds between two steps, while there is more."""
READERS = 4
"""Questions that are answered at a time."""
CLOSING = 5.0
"""Seconds that writing what waits may take at the end."""
RETRY = 10.0
"""Seconds from one try to open a database that is away to the next."""


class Archive:
    """One service's."""

    def __init__(
        self,
        database: Database,
        pictures: Path,
        rules: RetentionRules,
        *,
        clock: Clock,
        wall: Callable[[], float] = time.time,
        on_kept: Callable[[Sequence[Kept]], None] = lambda _: None,
        recording_rules: RecordingRules = RecordingRules(),  # noqa: B008  a value
        bucket: Bucket | None = None,
        replica: str | None = None,
        leaves_strays: bool = False,
    ) -> None:
        """Join it; nothing is opened yet.

        Args:
            database: where events are.
            pictures: the folder theirs are in.
            rules: how long they stay.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            on_kept: told on the event loop of each event once it is kept, and of each change; in a cluster of all
                replicas', in the order of their changes.
            recording_rules: how long recordings stay, which lie beside the pictures.
            bucket: object storage that all files are brought to; None: they stay here.
            replica: ours, of several that share the database, each with a folder of its own; None: there is no cluster.
            leaves_strays: pictures of no event stay, since another database lies beside them, whose they may be.
        """
        self.leaves_strays = leaves_strays
        self._database, self._wall = database, wall
        self._on_kept = on_kept if replica is None else self._have_looked
        self._writing, self._reading = Errands(1, "archive-write"), Errands(READERS, "archive-read")
        self._opened = asyncio.Event()
        self._desk = self._make_desk(self._reading)
        self._replica = replica
        self.pictures = Pictures(pictures, bucket, replica)
        self._judge = Judge(wall, replica)
        self.alerts = Alerts(self._desk, self._judge, wall=wall)
        """Rules, what came of them, and silences."""
        self.outbox = StoredOutbox(self._make_desk(Errands(1, "outbox-read")), self.pictures, wall=wall)
        """What outlets are to be told."""
        self.retention = Retention(rules, database, self.pictures, has_storage=bucket is not None)
        self._ends = Ends(database, self._judge, replica)
        self.upkeep = Upkeep(database, self.pictures, self.retention, self.alerts, self._ends, wall=wall)
        self.writer = Writer(
            database,
            self.pictures,
            self._writing,
            self._judge,
            clock=clock,
            on_kept=self._on_kept,
            on_judged=self._judged,
        )
        self.recordings = Recordings(
            database,
            pictures.with_name("recordings"),
            recording_rules,
            wall=wall,
            opened=self._opened,
            bucket=bucket,
            replica=replica,
        )
        self.leases: Leases | None = None
        """Of outlets; None: there is no cluster, and all are told from here."""
        self.following: Following | None = None
        """None: there is no cluster."""
        if replica is not None:
            self.leases = Leases(database, replica, outlets=lambda: self.alerts.outlets, clock=clock)
            self.leases.on_change.append(self.outbox.look_again)
            self.outbox.may_tell = self.leases.may_tell
            self.following = Following(
                database,
                pictures.parent,
                replica,
                writing=self._writing,
                alerts=self.alerts,
                outbox=self.outbox,
                leases=self.leases,
                forget=self._forget,
                take_over=self._ends.at_takeover,
                on_kept=on_kept,
            )
        self.uploads: Uploads | None = None
        """None: there is no object storage."""
        if bucket is not None:
            days = recording_rules.keep_local_days or 0.0
            self.uploads = Uploads(bucket, database, self.pictures, self.recordings.files, days, wall=wall)
        self._unopened: str | None = None
        """Why it could not be opened at the last try; None: it could, or was not tried yet."""

    async def open(self) -> None:
        """Bring the database up to date, and end what a killed service left open.

        Whoever is cancelled waits no longer; what is under way goes on in its thread, and does no harm if done again.

        Raises:
            ConfigError: it cannot be used by this Sightline.
            DatabaseAway: it cannot be used for now, which is said in the log; `write` tries again.
        """
        try:
            left, take_over = await self._writing.run(self._open)
        except DatabaseAway as error:
            if self._unopened != str(error):
                log.error("the archive cannot be opened: %s; live video goes on, and it is tried again", error)
            self._unopened = str(error)
            raise
        if left:
            log.info("the archive: %d events went on when the service ended; they end when they were last seen", left)
        if self._unopened is not None:
            log.info("the archive is open now; %d events wait", len(self.writer.waiting))
        self._unopened = None
        take_over()
        self._opened.set()

    def reads_from(self, others: OtherDisks) -> None:
        """Have what lies with other replicas read from them."""
        self.recordings.files.others = self.pictures.others = others

    def is_to_tell(self, kept: Kept) -> bool:
        """Whether it is ours to tell the other replicas of a change, once: who ends a dead one's event does."""
        return self._ends.is_to_tell(kept)

    @property
    def failing(self) -> str | None:
        """Why nothing can be kept for now, as a clause; None: it can be, or it is not known yet."""
        return self._unopened if not self._opened.is_set() else self.writer.failing

    @property
    def is_ok(self) -> bool:
        """Whether events can be kept, as far as it is known; until the database is open they wait."""
        return self._opened.is_set() and self.failing is None

    def put(self, event: Event, picture: Picture | None = None) -> None:
        """Have an event kept as it is now; never waits."""
        epoch = None if self.following is None else self.following.epoch(event.stream)
        self.writer.put(event, picture, epoch)

    async def write(self) -> None:
        """Open the database, where it is not open yet, as often as that takes; then write, until cancelled."""
        while not self._opened.is_set():
            try:
                await self.open()
            except DatabaseAway:
                await asyncio.sleep(RETRY)
            except ConfigError as error:  # it came back as another's, a newer Sightline's say
                if self._unopened != str(error):
                    log.error("the archive cannot be used: %s", error)
                self._unopened = str(error)
                await asyncio.sleep(RETRY)
        await self.writer.run()

    async def run(self) -> None:
        """Remove what may go, and stray files once, until cancelled."""
        await self._opened.wait()
        swept = self.leaves_strays
        while True:
            try:
                more, queues = await self._writing.run(self.upkeep.step)
                self.outbox.looked(queues)
                if not swept:
                    await self._reading.run(self.upkeep.sweep)
                    swept = True
            except (DatabaseAway, OSError) as error:
                log.debug("the archive cannot be tidied now: %s", error)
                more = False
            await asyncio.sleep(STEP_INTERVAL if more else TIDY_INTERVAL)

    async def follow(self) -> None:
        """Learn what other replicas keep, until cancelled."""
        await self._opened.wait()
        if self.following is not None:
            await self.following.run()

    async def upload(self) -> None:
        """Bring to object storage what is to be there, until cancelled."""
        await self._opened.wait()
        if self.uploads is not None:
            await self.uploads.run()

    async def close(self) -> None:
        """Write what waits, if that works in time, and let go of the database. A disk that hangs holds no exit."""
        try:
            async with asyncio.timeout(CLOSING):
                if self._opened.is_set():
                    await self.writer.settle()
                    await self.recordings.settle()
                elif self.writer.waiting:
                    log.error("the archive was never open; %d events were not kept", len(self.writer.waiting))
                await self._writing.run(self._let_go)
        except TimeoutError:
            log.error(
                "the archive did not close within %g s; %d events were not kept", CLOSING, len(self.writer.waiting)
            )

    # ---- questions

    async def page(self, query: Query) -> list[Kept]:
        """Newest first."""
        return await self._desk.read(partial(event_table.page, query=query))

    async def one(self, id_: str) -> Kept | None:
        """The event of that id; None: there is none."""
        return await self._desk.read(partial(event_table.one, id_=id_))

    async def since(self, changed: int) -> list[Kept]:
        """What changed after that, in the order it did; a thousand at the most."""
        return await self._desk.read(partial(event_table.since, changed=changed))

    async def streams(self) -> list[str]:
        """The names of all streams there are events of, in order."""
        return await self._desk.read(event_table.streams)

    async def facets(self, streams: Sequence[str]) -> Facets:
        """Which classes, zones and lines events of these streams have."""
        return await self._desk.read(partial(facets, streams=streams))

    async def newest_change(self) -> int:
        """The number of the newest change."""
        return await self._desk.read(event_table.newest_change)

    # ---- changes

    async def review(self, id_: str, said: Callable[[Review], Review]) -> Kept | None:
        """Take a person's word about an event; None: there is none.

        Args:
            id_: the event's.
            said: makes the new review of what was said before.
        """

        def change(cursor: Cursor) -> Kept | None:
            kept = event_table.one(cursor, id_)
            return None if kept is None else event_table.review(cursor, id_, said(kept.review))

        kept = await self._desk.change(change)
        if kept is not None:
            self._on_kept([kept])
        return kept

    async def remove(self, id_: str) -> bool:
        """Remove an event and its pictures; whether it was there."""

        def change() -> Judged | None:
            with self._database.reading() as cursor:
                kept = event_table.one(cursor, id_)
            if kept is None:
                return None
            judged = Judged()
            going_on = [kept] if kept.event.ended_at is None else []
            self.retention.remove([kept], also=lambda cursor: judged.add(self._judge.ended(cursor, going_on)))
            self.writer.forget(id_)
            return judged

        judged = await self._desk.write(change)
        if judged is not None:
            self._judged(judged)
        return judged is not None

    # ---- in threads

    def _make_desk(self, reading: Errands) -> Desk:
        return Desk(
            self._database,
            reading=reading,
            writing=self._writing,
            opened=self._opened,
            unopened=lambda: self._unopened,
        )

    def _judged(self, judged: Judged) -> None:
        """Count what came of events, and have senders told."""
        self.alerts.judged(judged)
        self.outbox.filled(judged.letters)

    def _let_go(self) -> None:
        """Of what others wait for, and of the database."""
        if self.leases is not None:
            with contextlib.suppress(DatabaseAway):
                self.leases.give_up()
        self._database.close()

    def _have_looked(self, _: Sequence[Kept]) -> None:
        """Something is kept: listeners are told of it among what others keep, in one order."""
        if self.following is not None:
            self.following.look_now()

    def _forget(self, id_: str) -> None:
        """Another replica removed it: what is still said of it is not kept."""
        self.writer.forget(id_)
        self.recordings.writer.forget([id_])

    def _open(self) -> tuple[int, Callable[[], None]]:
        """Returns how many events went on, and what puts in force what was read."""
        migrate(self._database)
        with self._database.writing() as cursor:
            left = self._ends.of_left_open(cursor)
            made, queues = rule_table.all_(cursor), outbox_table.queues(cursor)
            newest = event_table.newest_change(cursor)

        def take_over() -> None:
            self.alerts.take_over(made)
            self.outbox.looked(queues)
            if self.following is not None:
                self.following.begins(newest)

        return left, take_over
