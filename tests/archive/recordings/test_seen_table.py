"""The table of what was seen in each minute."""

from streamer.archive.database import Database
from streamer.archive.recordings import seen_table
from streamer.archive.recordings.found import Seen
from tests.archive.events import NOON

MINUTE = int(NOON // 60)


def test_minutes_add_up_and_steps_are_of_whole_minutes(database: Database) -> None:
    """What is counted in pieces is one number a minute and class, and the best score of all."""
    with database.writing() as cursor:
        seen_table.add(cursor, {("porch", MINUTE, "person"): (2, 0.5), ("porch", MINUTE + 1, "car"): (1, 0.25)})
        seen_table.add(cursor, {("porch", MINUTE, "person"): (3, 0.75), ("porch", MINUTE + 7, "person"): (1, 0.5)})
        seen_table.add(cursor, {("yard", MINUTE, "person"): (9, 1.0)})
    with database.reading() as cursor:
        assert seen_table.between(cursor, "porch", NOON, NOON + 120, 60) == [
            Seen(NOON, "person", 5, 0.75),
            Seen(NOON + 60, "car", 1, 0.25),
        ]
        assert seen_table.between(cursor, "porch", NOON, NOON + 480, 300) == [
            Seen(NOON, "car", 1, 0.25),
            Seen(NOON, "person", 5, 0.75),
            Seen(NOON + 300, "person", 1, 0.5),
        ]
        assert seen_table.between(cursor, "porch", NOON + 30, NOON + 31, 60) == [Seen(NOON, "person", 5, 0.75)]
        assert seen_table.streams(cursor) == ["porch", "yard"]


def test_old_minutes_go_by_stream(database: Database) -> None:
    """Of the stream that is named, and none that are younger."""
    with database.writing() as cursor:
        seen_table.add(cursor, {(name, MINUTE + k, "car"): (1, 0.5) for name in ("porch", "yard") for k in range(3)})
        assert seen_table.remove_old(cursor, "porch", NOON + 120) == 2
    with database.reading() as cursor:
        assert [len(seen_table.between(cursor, name, NOON, NOON + 600, 60)) for name in ("porch", "yard")] == [1, 3]
