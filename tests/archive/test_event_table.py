"""The table of events, in both databases."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.archive import event_table
from streamer.archive.database import BadRow, Database
from streamer.archive.kept import Kept, Review
from streamer.archive.migrations import migrate
from streamer.archive.query import Query
from streamer.archive.sqlite import Sqlite
from streamer.values.event import Event
from tests.archive.events import A_CROSSING, NOON, a_picture, an_event


def put(database: Database, *events: Event) -> list[Kept]:
    with database.writing() as cursor:
        return event_table.put(cursor, [(event, None) for event in events])


def ids(database: Database, query: Query) -> list[str]:
    with database.reading() as cursor:
        return [kept.event.id for kept in event_table.page(cursor, query)]


def test_what_is_put_is_found_as_it_was(database: Database) -> None:
    """An event comes back equal, with its zones, marks and the boxes of its picture."""
    event = an_event(zones=("yard", "gate"), marks=(A_CROSSING,))
    picture = a_picture()
    with database.writing() as cursor:
        event_table.put(cursor, [(event, picture)])
    with database.reading() as cursor:
        kept = event_table.one(cursor, event.id)
    assert kept == Kept(event, 1, 1, boxes=picture.boxes, picture_bytes=len(picture))


def test_a_later_state_takes_the_place_of_the_one_before(database: Database) -> None:
    """The same id is one event, whose review and picture an update leaves alone."""
    event = an_event()
    with database.writing() as cursor:
        event_table.put(cursor, [(event, a_picture())])
        event_table.review(cursor, event.id, Review("confirmed", "the postman", True, "anna", NOON + 60))
    (kept,) = put(database, replace(event, ended_at=NOON + 9, last_at=NOON + 9, score=0.9))
    assert kept.event.ended_at == NOON + 9
    assert kept.review == Review("confirmed", "the postman", True, "anna", NOON + 60)
    assert kept.picture_bytes == len(a_picture())
    assert ids(database, Query()) == [event.id]


def test_newest_come_first_and_pages_follow_on_each_other(database: Database) -> None:
    """Pages by cursor hold every event once, newest first, also while newer ones come."""
    events = [an_event(NOON + number) for number in range(7)]
    put(database, *events)
    first = ids(database, Query(limit=3))
    put(database, an_event(NOON + 100))
    second = ids(database, Query(limit=3, before=first[-1]))
    third = ids(database, Query(limit=3, before=second[-1]))
    assert [*first, *second, *third] == [event.id for event in reversed(events)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(streams=("yard",)), "b"),
        (Query(streams=("porch", "yard")), "cba"),
        (Query(streams=()), ""),
        (Query(labels=("car",)), "c"),
        (Query(without_labels=("car",)), "ba"),
        (Query(zone="gate"), "c"),
        (Query(since=NOON + 1), "cb"),
        (Query(until=NOON + 1), "a"),
        (Query(min_score=0.8), "c"),
        (Query(reviewed="confirmed"), "a"),
        (Query(reviewed="none"), "cb"),
        (Query(reviewed="any"), "a"),
        (Query(bookmarked=True), "a"),
        (Query(ended=True), "b"),
        (Query(zone="gate", labels=("car",), until=NOON + 3, min_score=0.8, ended=False), "c"),
        (Query(zone="gate", reviewed="confirmed"), ""),
        (Query(bookmarked=False, streams=("porch",)), "c"),
    ],
    ids=str,
)
def test_a_query_finds_what_it_asks_for(database: Database, query: Query, expected: str) -> None:
    """Each filter keeps the events it names, and all of them together those that meet all."""
    a = an_event(NOON)
    b = an_event(NOON + 1, stream="yard", ended_at=NOON + 2)
    c = an_event(NOON + 2, label="car", score=0.9, zones=("gate",))
    put(database, a, b, c)
    with database.writing() as cursor:
        event_table.review(cursor, a.id, Review("confirmed", bookmarked=True))
    names = {a.id: "a", b.id: "b", c.id: "c"}
    assert "".join(names[id_] for id_ in ids(database, query)) == expected


def test_every_stream_is_known_by_its_name(database: Database) -> None:
    """Each name that events have, once and in order."""
    with database.reading() as cursor:
        assert event_table.streams(cursor) == []
    put(database, *(an_event(NOON + number, stream=name) for number, name in enumerate("bacab")))
    with database.reading() as cursor:
        assert event_table.streams(cursor) == ["a", "b", "c"]


def test_each_change_has_a_number_of_its_own(database: Database) -> None:
    """Who has read up to a change is given what changed since, in order: new, updated and reviewed ones."""
    first, second = an_event(NOON), an_event(NOON + 1)
    put(database, first, second)
    put(database, replace(first, ended_at=NOON + 5))
    with database.writing() as cursor:
        event_table.review(cursor, second.id, Review("false"))
    with database.reading() as cursor:
        assert [(kept.event.id, kept.changed) for kept in event_table.since(cursor, 0)] == [
            (first.id, 3),
            (second.id, 4),
        ]
        assert [kept.changed for kept in event_table.since(cursor, 3)] == [4]
        assert event_table.newest_change(cursor) == 4


def test_what_a_killed_service_left_open_ends_when_it_was_seen_last(database: Database) -> None:
    """At the next start every open event ends, and those that had ended stay as they are."""
    ended, left = an_event(NOON, ended_at=NOON + 3), an_event(NOON + 1, last_at=NOON + 8)
    put(database, ended, left)
    with database.writing() as cursor:
        assert event_table.end_what_went_on(cursor) == [left.id]
    with database.reading() as cursor:
        found = {kept.event.id: kept.event.ended_at for kept in event_table.page(cursor, Query())}
    assert found == {ended.id: NOON + 3, left.id: NOON + 8}


def test_only_what_has_ended_and_is_not_bookmarked_may_go(database: Database) -> None:
    """The oldest to remove leave out what goes on and what somebody marked."""
    open_one, marked, old = an_event(NOON), an_event(NOON + 1, ended_at=NOON + 2), an_event(NOON + 2, ended_at=NOON + 3)
    put(database, open_one, marked, old)
    with database.writing() as cursor:
        event_table.review(cursor, marked.id, Review(bookmarked=True))
    with database.reading() as cursor:
        assert [kept.event.id for kept in event_table.oldest(cursor, Query(bookmarked=False, ended=True))] == [old.id]


def test_what_is_removed_is_gone_with_its_zones(database: Database) -> None:
    """A removed event is found neither by itself nor by its zone."""
    gone, stays = an_event(NOON, zones=("gate",)), an_event(NOON + 1, zones=("gate",))
    put(database, gone, stays)
    with database.writing() as cursor:
        event_table.remove(cursor, [gone.id])
    assert ids(database, Query(zone="gate")) == [stays.id]
    with database.reading() as cursor:
        assert event_table.those_of(cursor, [gone.id, stays.id]) == {stays.id}


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """What was written before the failure is not there, and the next transaction works."""

    def fail() -> None:
        with database.writing() as cursor:
            event_table.put(cursor, [(an_event(), None)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ids(database, Query()) == []
    put(database, an_event())
    assert len(ids(database, Query())) == 1


def test_a_row_the_database_will_not_have_is_told_apart(database: Database) -> None:
    """A number that fits no column is a bad row, and not a database that is away."""
    with pytest.raises(BadRow), database.writing() as cursor:
        event_table.put(cursor, [(an_event(tracker_id=1 << 70), None)])


TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.floats(0, 1, width=32)), min_size=1, max_size=5), TEXT)
def test_whatever_words_come_back_as_they_were(seeds: list[tuple[str, str, float]], note: str) -> None:
    """Labels, models and notes of any letters, quotes and percent signs among them, are data and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        database = Sqlite(Path(folder) / "sightline.db")
        migrate(database)
        events = [
            an_event(NOON + number, label=label, model=model, score=score)
            for number, (label, model, score) in enumerate(seeds)
        ]
        put(database, *events)
        with database.writing() as cursor:
            event_table.review(cursor, events[0].id, Review(note=note))
        with database.reading() as cursor:
            found = event_table.page(cursor, Query())
        assert [kept.event for kept in reversed(found)] == events
        assert found[-1].review.note == note
        database.close()


def test_the_number_of_a_change_is_given_once_though_its_event_is_removed(database: Database) -> None:
    """Whoever has heard of a change by that number would not hear of the next."""
    with database.writing() as cursor:
        event_table.put(cursor, [(an_event(NOON), None)])
        [second] = event_table.put(cursor, [(an_event(NOON + 1), None)])
        event_table.remove(cursor, [second.event.id])
        [third] = event_table.put(cursor, [(an_event(NOON + 2), None)])
        assert (second.changed, third.changed, event_table.newest_change(cursor)) == (2, 3, 3)
        assert [kept.event.id for kept in event_table.since(cursor, 2)] == [third.event.id]
