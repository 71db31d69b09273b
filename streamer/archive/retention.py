"""What may go, and when: by age, by class, by bytes. Small steps, so that no writer waits long behind one.

Files go before rows: on a full disk a file can be removed, and SQLite needs room even to delete.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamer.archive import event_table, lying
from streamer.archive.alerts import alert_table
from streamer.archive.database import Cursor, Database
from streamer.archive.kept import Kept
from streamer.archive.pictures import Pictures
from streamer.archive.query import Query
from streamer.archive.storage import doomed_table

STEP = 100
"""Events removed at once."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long events are kept. One that is bookmarked stays."""

    days: float = 30.0
    days_of_label: Mapping[str, float] = field(default_factory=dict)
    """In the place of `days`, for things of these classes."""
    max_bytes: int | None = None
    """Of all pictures; then the oldest go, whatever their class."""
    max_bytes_of_label: Mapping[str, int] = field(default_factory=dict)
    """Of those of these classes; then the oldest of the class go."""


class Retention:
    """One archive's."""

    def __init__(
        self, rules: RetentionRules, database: Database, pictures: Pictures, *, has_storage: bool = False
    ) -> None:
        """Remove nothing yet; where there is an object storage, pictures are to go from there too."""
        self.has_storage = has_storage
        self.rules = rules
        self._database, self._pictures = database, pictures
        self.removed = 0

    def step(self, now: float) -> int:
        """Remove some of what may go, at most STEP events; returns how many. Blocks.

        Args:
            now: UTC, seconds since 1970.

        Raises:
            DatabaseAway: nothing can be removed for now.
            OSError: a file cannot be.
        """
        gone = self._due(now)
        if gone:
            self.remove(gone)
        self.removed += len(gone)
        return len(gone)

    def remove(self, gone: Sequence[Kept], also: Callable[[Cursor], None] = lambda _: None) -> None:
        """Let go of these: of their pictures, then of their rows and alerts; letters about them stay. Blocks.

        Args:
            gone: what is removed.
            also: done before, in the transaction that removes the rows.

        Raises:
            DatabaseAway: their rows stay.
            OSError: a file cannot be removed.
        """
        me = self._pictures.replica
        others = [] if me is None else [kept for kept in gone if kept.replica not in (me, None)]
        # Of one that names nobody, from before there was a cluster, they may be here; elsewhere they are swept up.
        self._pictures.remove(kept.event for kept in gone if me is None or kept.replica in (me, None))
        ids = [kept.event.id for kept in gone]
        with self._database.writing() as cursor:
            also(cursor)
            alert_table.remove(cursor, ids)
            event_table.remove(cursor, ids)
            lying.doom(cursor, ((each.replica, key) for each in others if each.replica for key in self._keys(each)))
            if self.has_storage:  # be they marked or not: they may just be on their way
                doomed_table.add(cursor, (key for kept in gone for key in self._keys(kept)))

    def _keys(self, kept: Kept) -> tuple[str, str]:
        return self._pictures.keys(kept.event)

    def _due(self, now: float) -> list[Kept]:
        rules, me = self.rules, self._pictures.replica
        may_go = Query(bookmarked=False, ended=True, limit=STEP, replica=me)
        with self._database.reading() as cursor:
            for query in self._old(may_go, now):
                if gone := event_table.oldest(cursor, query):
                    return gone
            for label, most in rules.max_bytes_of_label.items():
                held = event_table.picture_bytes(cursor, label, me)
                if gone := _beyond(most, held, event_table.oldest(cursor, replace(may_go, labels=(label,)))):
                    return gone
            if rules.max_bytes is None:
                return []
            held = event_table.picture_bytes(cursor, replica=me)
            return _beyond(rules.max_bytes, held, event_table.oldest(cursor, may_go))

    def _old(self, may_go: Query, now: float) -> Iterator[Query]:
        """What asks for those that had their days; of others' pictures later, for nobody may be there to do it."""
        rules, me = self.rules, self._pictures.replica
        asked = [(may_go, now)]
        if me is not None:
            asked.append((replace(may_go, replica=None, besides_replica=me), now - lying.LEFT_DAYS * DAY))
        for query, at in asked:
            for label, days in rules.days_of_label.items():
                yield replace(query, labels=(label,), until=at - days * DAY)
            yield replace(query, without_labels=tuple(rules.days_of_label), until=at - rules.days * DAY)


def _beyond(most: int, held: int, oldest: list[Kept]) -> list[Kept]:
    """The oldest, without which what is held is `most` bytes or less; all of them where they are too few."""
    count = 0
    while count < len(oldest) and held > most:
        held -= oldest[count].picture_bytes
        count += 1
    return oldest[:count]
