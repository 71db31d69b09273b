"""streamer.archive.facets: what there is to look for, in both databases."""

import pytest

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.facets import Facets, facets
from streamer.archive.query import Query
from streamer.values.event import Event, Mark
from tests.archive.events import NOON, an_event


def put(database: Database, *events: Event) -> None:
    with database.writing() as cursor:
        event_table.put(cursor, [(event, None) for event in events])


def of(database: Database, *streams: str) -> Facets:
    with database.reading() as cursor:
        return facets(cursor, streams)


def over(*lines: str) -> tuple[Mark, ...]:
    """Crossings of these lines, and a stay in a zone that is none of them."""
    return (*(Mark("cross", line, NOON, "forward") for line in lines), Mark("enter", "yard", NOON))


def test_each_name_is_there_once_and_in_order(database: Database) -> None:
    """Classes, zones and lines of the streams that are asked for, and of no other; of none there is nothing."""
    put(
        database,
        an_event(label="person", zones=("yard", "gate"), marks=over("kerb", "kerb")),
        an_event(label="car", zones=("gate",), marks=over("door")),
        an_event(stream="yard", label="dog", zones=("lawn",), marks=over("hedge")),
    )
    porch = Facets(("car", "person"), ("gate", "yard"), ("door", "kerb"))
    assert of(database, "porch") == porch
    assert of(database, "porch", "yard") == Facets(
        ("car", "dog", "person"), ("gate", "lawn", "yard"), ("door", "hedge", "kerb")
    )
    assert of(database) == of(database, "nowhere") == Facets()


def test_what_no_event_has_any_more_is_not_there(database: Database) -> None:
    """Names go with the last event that had them."""
    gone, stays = an_event(label="car", zones=("gate",), marks=over("door")), an_event(label="person")
    put(database, gone, stays)
    with database.writing() as cursor:
        event_table.remove(cursor, [gone.id])
    assert of(database, "porch") == Facets(("person",))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(line="kerb"), "ca"),
        (Query(line="kerb", zone="gate"), "a"),
        (Query(line="kerb", streams=("yard",)), "c"),
        (Query(line="gate"), ""),
        (Query(line="kerb", since=NOON + 1, min_score=0.7), "c"),
        (Query(line="kerb", before="ffffffff"), "ca"),
    ],
    ids=str,
)
def test_events_are_found_by_the_line_they_crossed(database: Database, query: Query, expected: str) -> None:
    """A line is a filter like a zone, beside it too; the name of a zone is none of a line."""
    a = an_event(NOON, zones=("gate",), marks=over("kerb"))
    b = an_event(NOON + 1, zones=("gate",))
    c = an_event(NOON + 2, stream="yard", marks=over("kerb", "door"))
    put(database, a, b, c)
    with database.reading() as cursor:
        found = [kept.event.id for kept in event_table.page(cursor, query)]
    assert found == [{"a": a.id, "b": b.id, "c": c.id}[name] for name in expected]


def test_zones_of_an_older_archive_have_their_stream(empty: Database) -> None:
    """What was kept before streams stood beside zones is found by its stream after the migration."""
    from streamer.archive import migrations

    event = an_event(zones=("gate",))
    with empty.writing() as cursor:
        for statement in filter(str.strip, migrations.steps()[1].split(";")):
            cursor.run(statement)
        row = "'', 1, 1, 'm', 1, 0, 0, NULL, 0, 0, 0.5, '[0, 0, 1, 1]', 1, 1, '[\"gate\"]', '[]', 1, 1"
        columns = (
            "label, class_id, tracker_id, model, version, began_ms, last_ms, ended_ms, began_pts, last_pts, score, box,"
            " width, height, zones, marks, changed, made"
        )
        cursor.run(f"INSERT INTO event (id, stream, {columns}) VALUES (?, 'porch', {row})", (event.id,))  # noqa: S608
        cursor.run("INSERT INTO event_zone (zone, event_id) VALUES ('gate', ?)", (event.id,))
        cursor.run("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        cursor.run("INSERT INTO schema_version (version) VALUES (1)")
    migrations.migrate(empty)
    assert of(empty, "porch").zones == ("gate",)
