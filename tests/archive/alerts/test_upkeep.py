"""What goes of letters and silences."""

from streamer.archive.alerts import dead_letters, outbox_table, silence_table, upkeep
from streamer.archive.alerts.letter import Queue
from streamer.archive.database import Database
from streamer.values.alert import Silence
from tests.archive.alerts.drafts import a_draft, due, put
from tests.archive.events import NOON

DAY = 86_400.0


def tidy(database: Database, now: float) -> bool:
    with database.writing() as cursor:
        return upkeep.tidy(cursor, now, ["phone"], dead_days=30)


def queues(database: Database) -> dict[str, Queue]:
    with database.reading() as cursor:
        return outbox_table.queues(cursor)


def test_dead_letters_go_after_the_days_of_events_and_others_stay(database: Database) -> None:
    """By when they were given up; what waits stays for as long as its outlet does."""
    old, young, _ = put(database, a_draft(), a_draft(), a_draft())
    with database.writing() as cursor:
        outbox_table.bury(cursor, old.number, "no", NOON)
        outbox_table.bury(cursor, young.number, "no", NOON + 1)
    assert not tidy(database, NOON + 30 * DAY)
    assert queues(database)["phone"] == Queue(1, 2, 0, NOON)
    tidy(database, NOON + 30 * DAY + 0.5)
    assert queues(database)["phone"] == Queue(1, 1, 0, NOON)
    with database.reading() as cursor:
        assert [each.notification.id for each in dead_letters.page(cursor, "phone", None, 9)] == [young.id]


def test_what_waits_for_an_outlet_that_is_gone_is_given_up_after_a_day(database: Database) -> None:
    """Until then whoever names the outlet again finds it where it was."""
    put(database, a_draft(outlet="pager"), a_draft())
    tidy(database, NOON + DAY)
    assert queues(database)["pager"].waiting == 1
    tidy(database, NOON + DAY + 1)
    assert queues(database)["pager"] == Queue(0, 1, 0)
    with database.reading() as cursor:
        (letter,) = dead_letters.page(cursor, "pager", None, 9)
    assert letter.notification.error == dead_letters.NOBODY
    assert len(due(database)) == 1


def test_many_go_in_steps(database: Database) -> None:
    """No step holds up whoever writes for long, and each says whether there is more."""
    put(database, *(a_draft(outlet="pager") for _ in range(upkeep.STEP + 1)))
    assert tidy(database, NOON + 2 * DAY)
    assert queues(database)["pager"].waiting == 1
    assert not tidy(database, NOON + 2 * DAY)


def test_silences_are_forgotten_a_day_after_their_end(database: Database) -> None:
    """What was met in them may be kept until then."""
    with database.writing() as cursor:
        silence_table.put(cursor, Silence("a", NOON))
    tidy(database, NOON + DAY - 1)
    with database.reading() as cursor:
        assert len(silence_table.all_(cursor, 0)) == 1
    tidy(database, NOON + DAY)
    with database.reading() as cursor:
        assert silence_table.all_(cursor, 0) == []
