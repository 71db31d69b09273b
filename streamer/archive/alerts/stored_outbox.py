"""The outbox as senders and people see it: what waits for each outlet, and what was given up.

Every question may raise Overloaded: the database cannot answer now.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from streamer.archive import event_table
from streamer.archive.alerts import dead_letters, outbox_table
from streamer.archive.alerts.letter import Letter, Queue
from streamer.archive.database import Cursor
from streamer.archive.desk import Desk
from streamer.archive.pictures import Pictures
from streamer.values.errands import Errands
from streamer.values.event import Picture
from streamer.values.notification import Notification

T = TypeVar("T")

PICTURES = 2
"""Of events, that are read at a time: a disk that hangs must not hold up what is told without."""


class StoredOutbox:
    """One archive's; the `Outbox` that senders want."""

    def __init__(self, desk: Desk, pictures: Pictures, *, wall: Callable[[], float]) -> None:
        """Join it.

        Args:
            desk: where the database is asked.
            pictures: of events.
            wall: UTC, seconds since 1970.
        """
        self._desk, self._pictures, self._wall = desk, pictures, wall
        self._reading = Errands(PICTURES, "outbox-pictures")
        self._listeners: dict[str, Callable[[], None]] = {}
        self._queues: dict[str, Queue] = {}
        self.may_tell: Callable[[str], bool] = lambda _: True
        """Whether an outlet may be told by us: of several replicas one does."""

    @property
    def queues(self) -> Mapping[str, Queue]:
        """How each outlet's stood after its last change; those that never had a letter are not in it."""
        return self._queues

    def looked(self, queues: Mapping[str, Queue]) -> None:
        """Know how all of it stands: once it is open, and now and then."""
        self._queues = dict(queues)
        for outlet, queue in queues.items():
            if queue.waiting:
                self._tell(outlet)

    def look_again(self) -> None:
        """Have all senders look: they may tell what they might not before."""
        for tell in self._listeners.values():
            tell()

    def filled(self, letters: Mapping[str, int]) -> None:
        """Tell senders that there is something new.

        Args:
            letters: how many, by outlet.
        """
        for outlet, count in letters.items():
            was = self._queues.get(outlet, Queue())
            oldest_at = self._wall() if was.oldest_at is None else was.oldest_at
            self._queues[outlet] = replace(was, waiting=was.waiting + count, oldest_at=oldest_at)
            self._tell(outlet)

    # ---- for senders

    def on_filled(self, outlet: str, tell: Callable[[], None]) -> None:
        """Have `tell` called when there is something new for an outlet, in the place of whoever was told before."""
        self._listeners[outlet] = tell

    async def due(self, outlet: str, now: float, limit: int, besides: Collection[str] = ()) -> list[Notification]:
        """The oldest of each stream, where that is due; in order, at most one a stream.

        Args:
            outlet: whose.
            now: UTC, seconds since 1970.
            limit: at the most so many.
            besides: streams that are left out: somebody is at them.
        """
        if not self.may_tell(outlet):
            return []
        return await self._desk.read(lambda cursor: outbox_table.due(cursor, outlet, now, limit, besides))

    async def next_due(self, outlet: str, besides: Collection[str] = ()) -> float | None:
        """When the first of those is due: UTC, seconds since 1970; None: none waits."""
        if not self.may_tell(outlet):
            return None
        return await self._desk.read(lambda cursor: outbox_table.next_due(cursor, outlet, besides))

    async def sent(self, numbers: Sequence[int]) -> None:
        """These were told, and are no more."""
        await self._change(lambda cursor: (None, outbox_table.sent(cursor, numbers, self._wall())))

    async def postponed(self, number: int, due_at: float, error: str) -> None:
        """One attempt failed; the next is due then."""
        await self._desk.change(lambda cursor: outbox_table.postpone(cursor, number, due_at, error))

    async def dead(self, number: int, error: str) -> None:
        """It was given up: it waits among the dead letters for a person."""
        await self._change(lambda cursor: (None, outbox_table.bury(cursor, number, error, self._wall())))

    async def picture(self, event: str) -> Picture | None:
        """The event's, as far as it is kept; None: there is none, or not yet, or it cannot be read."""
        kept = await self._desk.read(lambda cursor: event_table.one(cursor, event))
        if kept is None or kept.picture_bytes == 0:
            return None

        def read() -> Picture:
            image, thumbnail = (
                self._pictures.read(path, kept.replica)
                for path in (self._pictures.image(kept.event), self._pictures.thumbnail(kept.event))
            )
            return Picture(image, thumbnail, kept.boxes)

        with contextlib.suppress(OSError):
            return await self._reading.run(read)
        return None

    # ---- for people

    async def queue(self, outlet: str) -> Queue:
        """What it is to be told, in figures."""
        return (await self._desk.read(lambda cursor: outbox_table.queues(cursor, [outlet])))[outlet]

    async def dead_letters(self, outlet: str, *, before: int | None = None, limit: int = 50) -> list[Letter]:
        """Those that were given up, newest first.

        Args:
            outlet: whose.
            before: the number of the last one of the page before.
            limit: at the most so many.
        """
        return await self._desk.read(lambda cursor: dead_letters.page(cursor, outlet, before, limit))

    async def resend(self, outlet: str, ids: Collection[str] | None = None) -> int:
        """Have dead letters sent again, behind all that waits, in their old order; returns how many.

        Args:
            outlet: whose.
            ids: of letters; None: all that are dead.
        """
        resent = partial(dead_letters.resend, outlet=outlet, ids=ids, now=self._wall())
        count = await self._change(lambda cursor: (resent(cursor), [outlet]))
        self._tell(outlet)
        return count

    async def discard(self, outlet: str, ids: Collection[str] | None = None) -> int:
        """Let go of dead letters; returns how many. The same arguments."""
        discarded = partial(dead_letters.discard, outlet=outlet, ids=ids, now=self._wall())
        return await self._change(lambda cursor: (discarded(cursor), [outlet]))

    async def _change(self, change: Callable[[Cursor], tuple[T, Collection[str]]]) -> T:
        """Have something changed in the queues of the outlets that `change` returns besides its outcome."""

        def changed(cursor: Cursor) -> tuple[T, dict[str, Queue]]:
            outcome, outlets = change(cursor)
            return outcome, outbox_table.queues(cursor, outlets)

        outcome, queues = await self._desk.change(changed)
        self._queues.update(queues)
        return outcome

    def _tell(self, outlet: str) -> None:
        if outlet in self._listeners:
            self._listeners[outlet]()
