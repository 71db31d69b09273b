"""Events that ended when they were seen last, since nobody saw their end: a killed service's, another replica's.

Whoever was told of one is told of its end. All of it within the thread that writes.
"""

from collections.abc import Sequence

from streamer.archive import claims, event_table, lying
from streamer.archive.alerts.judge import Judge
from streamer.archive.claims import Claimed
from streamer.archive.database import Cursor, Database
from streamer.archive.kept import Kept
from streamer.archive.retention import DAY


class Ends:
    """One archive's."""

    def __init__(self, database: Database, judge: Judge, replica: str | None) -> None:
        """Have ended nothing.

        Args:
            database: of the events.
            judge: has whoever is to be told of an end told.
            replica: ours; None: there is no cluster.
        """
        self._database, self._judge, self._replica = database, judge, replica
        self._of_others: set[int] = set()
        """Numbers of changes by which events of others ended here, of which nobody was told yet."""

    def of_left_open(self, cursor: Cursor) -> int:
        """End what a killed service left open, at the start; returns how many."""
        left = event_table.end_what_went_on(cursor, self._replica)
        self._judged(cursor, left)
        return len(left)

    def at_takeover(self, stream: str, claimed: Claimed) -> None:
        """End what the replica left open that ran a stream before us, and keep nothing more that begins there.

        Args:
            stream: that is ours from now on.
            claimed: our claim to it.

        Raises:
            DatabaseAway: it goes on.
        """
        with self._database.writing() as cursor:
            claims.note(cursor, stream, claimed)
            ended = self._judged(cursor, event_table.end_of_others(cursor, stream, self._replica or ""))
            self._of_others |= ended  # before others can see it

    def of_absent(self, cursor: Cursor, now: float) -> None:
        """End what a replica left open whose streams nobody may run, when it does not come back.

        Args:
            cursor: of the transaction.
            now: UTC, seconds since 1970.
        """
        if self._replica is not None:
            ids = event_table.end_of_absent(cursor, now - lying.LEFT_DAYS * DAY, self._replica)
            self._of_others |= self._judged(cursor, ids)

    def is_to_tell(self, kept: Kept) -> bool:
        """Whether it is ours to tell the other replicas of a change, once: who ends a dead one's event does."""
        is_ended_here = kept.changed in self._of_others
        self._of_others.discard(kept.changed)
        return is_ended_here or kept.replica == self._replica

    def _judged(self, cursor: Cursor, ids: Sequence[str]) -> set[int]:
        """Have these ends told; returns the numbers of their changes."""
        numbers = set[int]()
        for some in event_table.in_parts(ids):
            found = event_table.of_ids(cursor, some)
            self._judge.ended(cursor, found)
            numbers |= {kept.changed for kept in found}
        return numbers
