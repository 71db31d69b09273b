"""Which outlets this replica tells: each is told by one at a time, which says so in the database, again and again.

There, and not in NATS, because letters are there: who cannot reach it has nothing to tell, and who can may tell though
NATS is away. One that dies is followed by another once its lease is over.
"""

from collections.abc import Callable, Mapping, Sequence

from streamer.archive.alerts import lease_table
from streamer.archive.alerts.lease_table import Lease
from streamer.archive.database import Database
from streamer.values.clock import Clock

SECONDS = 4.0
"""Of a lease."""
RENEWED_WITH = 3.0
"""Seconds of one that are left when it is taken anew: one write a second, for all outlets together."""


class Leases:
    """One replica's."""

    def __init__(self, database: Database, replica: str, *, outlets: Callable[[], Sequence[str]], clock: Clock) -> None:
        """Have none.

        Args:
            database: that all share.
            replica: ours.
            outlets: names of all there are.
            clock: monotonic seconds.
        """
        self._database, self._replica, self._outlets, self._clock = database, replica, outlets, clock
        self._until: dict[str, float] = {}
        """Those we had at the last answer, and up to when others leave them to us."""
        self.known: Mapping[str, Lease] = {}
        """As of the last look, everybody's."""
        self.on_change: list[Callable[[], None]] = []
        """Told on the event loop that we have others than before."""

    def has(self, outlet: str) -> bool:
        """Whether it is ours, as far as the database has said: nobody else has taken it, nor may have since."""
        return outlet in self._until

    def may_tell(self, outlet: str) -> bool:
        """Whether nobody else can have it by now: a replica that was stopped for a while knows no better at first."""
        return self._clock() < self._until.get(outlet, 0.0)

    def who(self, outlet: str) -> str | None:
        """The replica that tells it; None: nobody does, or it is not known."""
        lease = self.known.get(outlet)
        return None if lease is None or lease.left < 0 else lease.replica

    # ---- as one looks

    def due(self, found: Mapping[str, Lease]) -> list[str]:
        """Those that are to be taken, or taken anew; the others that were ours are not any more.

        Args:
            found: what there is.
        """
        self.known, there = found, set(self._outlets())
        lost = [
            name for name in self._until if name in found and found[name].replica != self._replica and name in there
        ]
        for name in lost:
            del self._until[name]
        if lost:
            self._changed()
        return [name for name in sorted(there) if self._is_due(name, found.get(name))]

    def lapse(self) -> None:
        """Have no more what others may have by now: the database has not answered in time."""
        over = [name for name in self._until if not self.may_tell(name)]
        for name in over:
            del self._until[name]
        if over:
            self._changed()

    def _is_due(self, name: str, lease: Lease | None) -> bool:
        if lease is None or lease.left < 0:
            return True
        return lease.replica == self._replica and (lease.left < RENEWED_WITH or name not in self._until)

    def take(self, names: Sequence[str]) -> dict[str, float]:
        """Take them, as far as nobody has; returns those we have, and until when. Blocks.

        Raises:
            DatabaseAway: none was.
        """
        asked_at = self._clock()
        with self._database.writing() as cursor:
            ours = [name for name in names if lease_table.take(cursor, name, self._replica, SECONDS)]
        return dict.fromkeys(ours, asked_at + SECONDS)

    def taken(self, ours: Mapping[str, float]) -> None:
        """We have these."""
        is_new = not all(map(self.may_tell, ours))
        self._until |= ours
        if is_new:
            self._changed()

    def give_up(self) -> None:
        """Let others have all of ours at once; nothing is told by now. Blocks.

        Raises:
            DatabaseAway: they have them once the leases are over.
        """
        ours, self._until = list(self._until), {}
        if ours:
            with self._database.writing() as cursor:
                lease_table.give_up(cursor, ours, self._replica)

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()
