"""What is done to events while nobody asks: let go of, ended, counted, and stray pictures looked for. Blocks."""

from collections.abc import Callable, Mapping

from streamer.archive import event_table
from streamer.archive.alerts import outbox_table
from streamer.archive.alerts import upkeep as alerts_upkeep
from streamer.archive.alerts.alerts import Alerts
from streamer.archive.alerts.letter import Queue
from streamer.archive.database import Database
from streamer.archive.ends import Ends
from streamer.archive.pictures import YOUNG, Pictures
from streamer.archive.query import Query
from streamer.archive.retention import STEP, Retention


class Upkeep:
    """One archive's."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        retention: Retention,
        alerts: Alerts,
        ends: Ends,
        *,
        wall: Callable[[], float],
    ) -> None:
        """Have done nothing.

        Args:
            database: that is tidied.
            pictures: of its events, on our disk.
            retention: lets go of what had its time.
            alerts: names the outlets that there are.
            ends: of events that nobody saw end.
            wall: UTC, seconds since 1970.
        """
        self._database, self._pictures, self._retention = database, pictures, retention
        self._alerts, self._ends, self._wall = alerts, ends, wall
        self.picture_bytes = 0
        """On disk, as of the last look."""
        self.oldest_at: float | None = None
        """When the oldest event began, as of the last look."""

    def step(self) -> tuple[bool, Mapping[str, Queue]]:
        """Do some of it, in the thread that writes; whether there is more to remove, and how the outbox stands.

        Raises:
            DatabaseAway: nothing can be done for now.
            OSError: a file cannot be removed.
        """
        more = self._retention.step(self._wall()) == STEP
        with self._database.reading() as cursor:
            self.picture_bytes = event_table.picture_bytes(cursor, replica=self._pictures.replica)
            first = event_table.oldest(cursor, Query(limit=1))
        self.oldest_at = first[0].event.began_at if first else None
        with self._database.writing() as cursor:
            more |= alerts_upkeep.tidy(cursor, self._wall(), self._alerts.outlets, self._retention.rules.days)
            self._ends.of_absent(cursor, self._wall())
            queues = outbox_table.queues(cursor)
        return more, queues

    def sweep(self) -> None:
        """Remove pictures of no event: a service that is killed between a file and its row leaves one.

        Raises:
            DatabaseAway: which are such cannot be told for now.
            OSError: the disk does not answer as it should.
        """
        replica = self._pictures.replica
        for day in self._pictures.days():
            found = self._pictures.ids_in(day, self._wall())
            with self._database.reading() as cursor:
                known = event_table.those_of(cursor, sorted(found))
            if replica is not None:  # it may have had another name, or none, when it kept them
                with self._database.writing() as cursor:
                    event_table.adopt(cursor, sorted(known), replica)
            young = {id_ for id_ in found if _age(id_, self._wall()) < YOUNG}
            self._pictures.remove_strays(day, found - known - young)


def _age(id_: str, now: float) -> float:
    """Seconds since the time a UUIDv7 carries; infinite for what is none."""
    try:
        return now - int(id_.replace("-", "")[:12], 16) / 1000
    except ValueError:
        return float("inf")
