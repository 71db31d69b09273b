"""What may go, and when."""

from pathlib import Path

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.kept import Review
from streamer.archive.pictures import Pictures
from streamer.archive.query import Query
from streamer.archive.retention import DAY, STEP, Retention, RetentionRules
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture, an_event


def kept_of(database: Database) -> set[str]:
    with database.reading() as cursor:
        return {kept.event.id for kept in event_table.page(cursor, Query(limit=1000))}


def put(database: Database, pictures: Pictures, *events: Event) -> None:
    for event in events:
        pictures.write(event, a_picture())
    with database.writing() as cursor:
        event_table.put(cursor, [(event, a_picture()) for event in events])


def test_what_is_old_goes_with_its_picture_and_a_class_may_stay_longer(database: Database, tmp_path: Path) -> None:
    """Days count from an event's beginning; a class has its own; a bookmark keeps for good."""
    pictures = Pictures(tmp_path / "pictures")
    old = an_event(NOON, ended_at=NOON + 1)
    car = an_event(NOON, label="car", ended_at=NOON + 1)
    marked = an_event(NOON + 1, ended_at=NOON + 2)
    young = an_event(NOON + 25 * DAY, ended_at=NOON + 25 * DAY)
    put(database, pictures, old, car, marked, young)
    with database.writing() as cursor:
        event_table.review(cursor, marked.id, Review(bookmarked=True))
    retention = Retention(RetentionRules(days=10, days_of_label={"car": 40}), database, pictures)
    now = NOON + 30 * DAY
    while retention.step(now):
        pass
    assert kept_of(database) == {car.id, marked.id, young.id}
    assert not pictures.image(old).exists()
    assert pictures.image(car).exists()
    while retention.step(NOON + 41 * DAY):
        pass
    assert kept_of(database) == {marked.id}


def test_beyond_the_bytes_the_oldest_go(database: Database, tmp_path: Path) -> None:
    """Pictures are held within `max_bytes`, by the age of their events."""
    pictures = Pictures(tmp_path / "pictures")
    events = [an_event(NOON + number, ended_at=NOON + number) for number in range(6)]
    put(database, pictures, *events)
    rules = RetentionRules(max_bytes=2 * len(a_picture()))
    while Retention(rules, database, pictures).step(NOON + 10):
        pass
    assert kept_of(database) == {event.id for event in events[-2:]}


def test_a_class_has_bytes_of_its_own(database: Database, tmp_path: Path) -> None:
    """Beyond them the oldest of that class go, and no other's, though others are older; a bookmark keeps for good."""
    pictures = Pictures(tmp_path / "pictures")
    people = [an_event(NOON + number, ended_at=NOON + number) for number in range(3)]
    cars = [an_event(NOON + number, label="car", ended_at=NOON + number) for number in range(10, 14)]
    put(database, pictures, *people, *cars)
    with database.writing() as cursor:
        event_table.review(cursor, cars[0].id, Review(bookmarked=True))
    rules = RetentionRules(max_bytes_of_label={"car": 2 * len(a_picture()), "dog": 0})
    while Retention(rules, database, pictures).step(NOON + 20):
        pass
    assert kept_of(database) == {event.id for event in (*people, cars[0], cars[-1])}


def test_it_goes_in_small_steps(database: Database, tmp_path: Path) -> None:
    """One step removes at most STEP events, however many are due."""
    pictures = Pictures(tmp_path / "pictures")
    put(database, pictures, *(an_event(NOON + number / 10, ended_at=NOON) for number in range(STEP + 5)))
    retention = Retention(RetentionRules(days=1), database, pictures)
    assert [retention.step(NOON + 9 * DAY) for _ in range(3)] == [STEP, 5, 0]
    assert retention.removed == STEP + 5
