"""Follows what the other replicas of a cluster write into the database that all share: looked for twice a second.

NATS need not be there for it. Whoever hears of something sooner may have it looked for at once.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from streamer.archive import event_table, lying
from streamer.archive.alerts import lease_table, outbox_table, rule_table
from streamer.archive.alerts.alerts import Alerts
from streamer.archive.alerts.lease_table import Lease
from streamer.archive.alerts.leases import Leases
from streamer.archive.alerts.letter import Queue
from streamer.archive.alerts.stored_outbox import StoredOutbox
from streamer.archive.claims import Claimed
from streamer.archive.database import Cursor, Database, DatabaseAway, Row
from streamer.archive.kept import Kept
from streamer.values.epoch import Epoch
from streamer.values.errands import Errands

log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds from one look to the next."""
PAGE = 100
"""Files that are let go of in one step."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one gives."""

    doomed: Sequence[str]
    """Keys of files that others removed, and that lie here."""
    letters: int
    """The last number that was given to one."""
    rules: Sequence[Row]
    """Those that were made by the API, as they stand."""
    leases: Mapping[str, Lease]
    changed: int
    """The number of the newest change of an event."""


class Following:
    """One replica's."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        replica: str,
        *,
        writing: Errands,
        alerts: Alerts,
        outbox: StoredOutbox,
        leases: Leases,
        forget: Callable[[str], None],
        take_over: Callable[[str, Claimed], None],
        on_kept: Callable[[Sequence[Kept]], None],
    ) -> None:
        """Have looked at nothing.

        Args:
            database: that all share.
            folder: of the archive, which files' keys are below.
            replica: ours.
            writing: the archive's one thread that writes.
            alerts: go by rules that others made.
            outbox: has those told whom others wrote letters to.
            leases: of outlets.
            forget: told in the thread that writes of the id of what was removed: nothing more of it is to be kept.
            take_over: called in that thread: writes down by which claim a stream is ours, and ends the events that the
                replica left open that ran it before.
            on_kept: told on the event loop of events that any replica keeps, in the order of their changes.
        """
        self._database, self._folder, self._replica, self._forget = database, folder, replica, forget
        self._take_over = take_over
        self._alerts, self._outbox, self._leases, self._on_kept = alerts, outbox, leases, on_kept
        self._reading, self._writing = Errands(1, "archive-follow"), writing
        self._wake = asyncio.Event()
        self._gained: dict[str, Claimed] = {}
        """Streams that are ours from now on, which is to be written down; their former owners may have left events."""
        self._epochs: dict[str, Epoch] = {}
        """Of the newest claim by which a stream was ours."""
        self._refused: set[str] = set()
        """Keys of doomed files that cannot be removed: they must not keep the others, nor anything else."""
        self._last: Look | None = None
        self._told = 0
        """The change that was told of last."""

    def begins(self, changed: int) -> None:
        """Tell what is kept from that change on."""
        self._told = changed

    def gained(self, stream: str, claimed: Claimed) -> None:
        """A stream is ours to run from now on; never waits."""
        self._gained[stream], self._epochs[stream] = claimed, claimed.epoch
        self.look_now()

    def epoch(self, stream: str) -> Epoch | None:
        """Of the claim by which what happens in a stream of ours is kept; None: it never was ours by one."""
        return self._epochs.get(stream)

    def unclaimed(self, stream: str) -> None:
        """What happens in a stream from now on is kept by no claim: it is published to us while NATS is away."""
        self._epochs.pop(stream, None)

    def lost(self, stream: str) -> None:
        """It is not any more; its events are another's to end. Never waits."""
        self._gained.pop(stream, None)

    def look_now(self) -> None:
        """Do not wait for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._stepped()
            except (DatabaseAway, OSError) as error:
                log.debug("what other replicas keep cannot be read now: %s", error)
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _stepped(self) -> None:
        """A step; while the database does not answer, leases are over all the same."""
        step = asyncio.ensure_future(self._step())
        try:
            while not (await asyncio.wait([step], timeout=INTERVAL))[0]:
                self._leases.lapse()
            await step
        finally:
            step.cancel()
            self._leases.lapse()

    async def _step(self) -> None:
        for stream, claimed in sorted(self._gained.items()):
            await self._writing.run(partial(self._take, stream, claimed))
            if self._gained.get(stream) is claimed:  # it may have been lost meanwhile, and gained again
                del self._gained[stream]
        look, last = await self._reading.run(self._look), self._last
        if due := self._leases.due(look.leases):
            self._leases.taken(await self._writing.run(partial(self._leases.take, due)))
        if last is None or look.rules != last.rules:
            self._alerts.take_over(await self._reading.run(self._rules))
        if last is None or look.letters != last.letters:
            self._outbox.looked(await self._reading.run(self._queues))
        while self._told < look.changed and (some := await self._reading.run(self._since)):
            self._told = some[-1].changed
            self._on_kept(some)
        self._told = max(self._told, look.changed)  # of events that were removed since, nobody is told
        self._last = look
        if look.doomed:
            await self._writing.run(partial(self._let_go, look.doomed))

    # ---- in threads

    def _look(self) -> Look:
        with self._database.reading() as cursor:
            return Look(
                self._doomed(cursor),
                outbox_table.last_number(cursor),
                rule_table.rows(cursor),
                lease_table.all_(cursor),
                event_table.newest_change(cursor),
            )

    def _take(self, stream: str, claimed: Claimed) -> None:
        if self._gained.get(stream) is claimed:  # or it is another's by now, and its events go on there
            self._take_over(stream, claimed)

    def _doomed(self, cursor: Cursor) -> list[str]:
        found = lying.doomed(cursor, self._replica, PAGE + len(self._refused))
        return [key for key in found if key not in self._refused][:PAGE]

    def _rules(self) -> Sequence[rule_table.MadeRule]:
        with self._database.reading() as cursor:
            return rule_table.all_(cursor)

    def _queues(self) -> Mapping[str, Queue]:
        with self._database.reading() as cursor:
            return outbox_table.queues(cursor)

    def _since(self) -> Sequence[Kept]:
        with self._database.reading() as cursor:
            return event_table.since(cursor, self._told)

    def _let_go(self, keys: Sequence[str]) -> None:
        """Files before rows: who is killed between them lets go of nothing twice."""
        gone = []
        for key in keys:
            self._forget(PurePosixPath(key).name.partition(".")[0])
            try:
                (self._folder / key).unlink(missing_ok=True)
            except OSError as error:
                self._refused.add(key)
                log.error("%s is to go, and cannot be removed: %s; it is tried at the next start", key, error.strerror)
            else:
                gone.append(key)
        if gone:
            with self._database.writing() as cursor:
                lying.let_go(cursor, self._replica, gone)
