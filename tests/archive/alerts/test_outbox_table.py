"""The outbox, in both databases."""

from pathlib import Path

import pytest

from streamer.archive.alerts import dead_letters, outbox_table
from streamer.archive.alerts.letter import Queue
from streamer.archive.database import Cursor, Database
from streamer.archive.migrations import migrate
from streamer.archive.sqlite import Sqlite
from streamer.values.notification import Notification
from tests.archive.alerts.drafts import a_draft, due, put
from tests.archive.events import NOON


def queue(cursor: Cursor, outlet: str = "phone") -> Queue:
    return outbox_table.queues(cursor, [outlet])[outlet]


def test_a_letter_is_found_as_it_was_put(database: Database) -> None:
    """What waits comes back equal, each with a number above the one before and an id of its own."""
    first, second = put(database, a_draft("porch"), a_draft("yard"))
    assert first == Notification(
        first.id, first.number, "phone", "alert", "porch", "yard", {"id": "an event", "stream": "porch"}, NOON,
        queued_at=NOON,
    )  # fmt: skip
    assert second.number == first.number + 1
    assert second.id != first.id
    assert due(database) == [first, second]


def test_each_stream_shows_its_oldest_alone(database: Database) -> None:
    """Of many letters the first of each stream is due, in the order they were put; but those that are left out."""
    letters = put(database, *(a_draft(stream) for stream in ("yard", "porch", "yard", "gate", "porch", "")))
    heads = [letters[0], letters[1], letters[3], letters[5]]
    assert due(database) == heads
    assert due(database, limit=2) == heads[:2]
    assert due(database, besides=["porch", ""]) == [letters[0], letters[3]]


def test_a_stream_waits_for_its_oldest(database: Database) -> None:
    """One that is not due yet holds back those behind it, of its stream alone; the time it is due is told."""
    first, second, other = put(database, a_draft("porch"), a_draft("porch"), a_draft("yard"))
    with database.writing() as cursor:
        outbox_table.postpone(cursor, first.number, NOON + 30, "it answered 503")
    assert due(database) == [other]
    with database.reading() as cursor:
        assert outbox_table.next_due(cursor, "phone") == NOON
        assert outbox_table.next_due(cursor, "phone", besides=["yard"]) == NOON + 30
        assert outbox_table.next_due(cursor, "phone", besides=["yard", "porch"]) is None
        assert outbox_table.next_due(cursor, "nobody") is None
    late, _ = due(database, NOON + 30)
    assert (late.id, late.attempts, late.error) == (first.id, 1, "it answered 503")
    with database.writing() as cursor:
        outbox_table.sent(cursor, [first.number], NOON)
    assert due(database, NOON + 30) == [second, other]


def test_what_was_sent_is_no_more_and_no_number_returns(database: Database) -> None:
    """A number is given once, though all before it are gone: what is told twice as sent was told once."""
    (first,) = put(database, a_draft())
    with database.writing() as cursor:
        assert outbox_table.sent(cursor, [first.number], NOON) == {"phone"}
    (second,) = put(database, a_draft())
    assert second.number > first.number
    with database.writing() as cursor:
        assert outbox_table.sent(cursor, [first.number], NOON) == set()
        assert queue(cursor) == Queue(1, 0, 0, NOON)


def test_outlets_know_nothing_of_each_other(database: Database) -> None:
    """The letters of one are no other's."""
    put(database, a_draft(outlet="mqtt"))
    assert due(database) == []
    with database.reading() as cursor:
        assert queue(cursor) == Queue()
        assert queue(cursor, "mqtt") == Queue(1, 0, 0, NOON)


def test_what_was_given_up_waits_for_a_person_and_holds_nobody_up(database: Database) -> None:
    """A dead letter lets those behind it go, and is listed with what came of it, newest first."""
    first, second, third = put(database, a_draft(), a_draft(), a_draft())
    with database.writing() as cursor:
        for letter in (first, second):
            outbox_table.bury(cursor, letter.number, "it answered 400", NOON + 9)
        assert queue(cursor) == Queue(1, 2, 0, NOON)
        dead = dead_letters.page(cursor, "phone", None, 10)
        older = dead_letters.page(cursor, "phone", second.number, 10)
    assert [each.notification.id for each in dead] == [second.id, first.id]
    assert (dead[0].state, dead[0].died_at, dead[0].notification.error) == ("dead", NOON + 9, "it answered 400")
    assert [each.notification.id for each in older] == [first.id]
    assert due(database) == [third]


def test_a_resent_letter_goes_to_the_end_of_its_streams_queue(database: Database) -> None:
    """Letters that are sent again keep their ids and their order, and come behind all that waits, with a new day."""
    letters = put(database, a_draft(), a_draft(), a_draft())
    with database.writing() as cursor:
        for letter in letters[:2]:
            outbox_table.bury(cursor, letter.number, "no", NOON)
        assert dead_letters.resend(cursor, "phone", None, NOON + 100) == 2
        assert queue(cursor) == Queue(3, 0, 0, NOON)
    told = []
    while some := due(database, NOON + 100):
        told += some
        with database.writing() as cursor:
            outbox_table.sent(cursor, [each.number for each in some], NOON)
    assert [each.id for each in told] == [letters[2].id, letters[0].id, letters[1].id]
    assert (told[1].attempts, told[1].made_at, told[1].queued_at) == (0, NOON, NOON + 100)


def test_only_dead_letters_of_that_outlet_are_resent_or_discarded(database: Database) -> None:
    """Ids of letters that wait, of another outlet's and of none change nothing."""
    dead, waiting = put(database, a_draft(), a_draft())
    (other,) = put(database, a_draft(outlet="mqtt"))
    ids = [dead.id, waiting.id, other.id, "nobody's"]
    with database.writing() as cursor:
        outbox_table.bury(cursor, dead.number, "no", NOON)
        outbox_table.bury(cursor, other.number, "no", NOON)
        assert dead_letters.resend(cursor, "phone", ids, NOON) == 1
        assert dead_letters.discard(cursor, "phone", ids, NOON) == 0
        assert dead_letters.discard(cursor, "mqtt", None, NOON) == 1
        assert (queue(cursor), queue(cursor, "mqtt")) == (Queue(2, 0, 0, NOON), Queue())
        assert not cursor.all("SELECT 1 FROM outbox WHERE id = ?", (other.id,))


def test_where_too_many_wait_the_oldest_are_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bounds the oldest become dead letters, and the oldest of those are lost and counted."""
    monkeypatch.setattr(outbox_table, "MOST_WAITING", 5)
    monkeypatch.setattr(outbox_table, "MOST_DEAD", 3)
    letters = put(database, *(a_draft(f"stream-{number % 2}") for number in range(7)))
    letters += put(database, *(a_draft() for _ in range(4)))
    with database.reading() as cursor:
        assert queue(cursor) == Queue(5, 3, 3, NOON)
        dead = dead_letters.page(cursor, "phone", None, 10)
    assert [each.notification.id for each in dead] == [letters[number].id for number in (5, 4, 3)]
    assert {each.notification.error for each in dead} == {outbox_table.NO_ROOM}
    assert due(database) == [letters[6], letters[7]]


def test_what_was_sent_after_it_was_given_up_is_gone_too(database: Database) -> None:
    """A letter that died for want of room while it was on its way was told all the same."""
    (letter,) = put(database, a_draft())
    with database.writing() as cursor:
        outbox_table.bury(cursor, letter.number, outbox_table.NO_ROOM, NOON)
        outbox_table.sent(cursor, [letter.number], NOON)
        outbox_table.postpone(cursor, letter.number, NOON, "late")
        assert queue(cursor) == Queue()
        assert not cursor.all("SELECT 1 FROM outbox WHERE id = ?", (letter.id,))


def test_a_hundred_thousand_letters_are_never_read_through(tmp_path: Path) -> None:
    """What is due, and when, and how much waits is read off an index, by SQLite's own plans."""
    database = Sqlite(tmp_path / "sightline.db")
    migrate(database)
    plans: list[str] = []

    class Explaining:
        def __init__(self, cursor: Cursor) -> None:
            self.run, self.run_many, self._cursor = cursor.run, cursor.run_many, cursor

        def all(self, sql: str, values: object = ()) -> list[tuple[object, ...]]:
            plans.extend(str(row[3]) for row in self._cursor.all(f"EXPLAIN QUERY PLAN {sql}", values))  # type: ignore[arg-type]
            return self._cursor.all(sql, values)  # type: ignore[arg-type]

    put(database, *(a_draft(f"stream-{number % 16}") for number in range(1000)))
    with database.writing() as cursor:
        explaining = Explaining(cursor)
        outbox_table.due(explaining, "phone", NOON, 4, ["stream-3"])
        outbox_table.next_due(explaining, "phone")
        outbox_table.queues(explaining, ["phone"])
        outbox_table.sent(explaining, [1], NOON)
        dead_letters.page(explaining, "phone", None, 10)
    database.close()
    assert plans
    assert [plan for plan in plans if "SCAN outbox" in plan] == []
    assert [plan for plan in plans if "SEARCH outbox" in plan and "INDEX" not in plan] == []
