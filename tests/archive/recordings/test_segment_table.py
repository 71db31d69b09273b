"""The table of segments, in both databases."""

from dataclasses import replace

from streamer.archive.database import Database
from streamer.archive.recordings import segment_table
from streamer.archive.recordings.segment import Fragment, Segment
from tests.archive.events import NOON
from tests.archive.recordings.segments import MINUTE, a_segment


def put(database: Database, *segments: Segment) -> None:
    with database.writing() as cursor:
        segment_table.put(cursor, segments)


def names(found: list[Segment], segments: dict[str, Segment]) -> str:
    of_id = {segment.id: name for name, segment in segments.items()}
    return "".join(of_id[segment.id] for segment in found)


def test_what_is_put_is_found_as_it_was(database: Database) -> None:
    """A segment comes back equal, with all that is needed to play any part of it."""
    segment = a_segment(camera_at=NOON - 0.25, follows=True, has_event=True, is_remote=True)
    put(database, segment)
    with database.reading() as cursor:
        assert segment_table.one(cursor, segment.id) == segment
        assert segment_table.one(cursor, "none") is None


def test_the_newest_of_an_id_stands(database: Database) -> None:
    """A segment that goes on is one row, which grows."""
    segment = a_segment(ended_at=None, fragments=())
    put(database, segment)
    grown = replace(segment, fragments=(Fragment(10, 20, 0, 1000, True),), size=30, pictures=25)
    put(database, grown)
    with database.reading() as cursor:
        assert segment_table.unended(cursor) == [grown]
    ended = replace(grown, ended_at=NOON + 1)
    put(database, ended)
    with database.reading() as cursor:
        assert segment_table.unended(cursor) == []
        assert segment_table.one(cursor, segment.id) == ended


def test_a_span_has_what_lies_in_it_partly_too(database: Database) -> None:
    """Those that end as it begins, or begin as it ends, are not among them; of other streams none; the open one is."""
    those = {
        "a": a_segment(NOON - 2 * MINUTE),
        "b": a_segment(NOON - MINUTE),
        "c": a_segment(NOON),
        "d": a_segment(NOON + MINUTE, ended_at=None),
        "e": a_segment(NOON, stream="yard"),
    }
    put(database, *those.values())

    def found(began: float, ended: float, limit: int = 10) -> str:
        with database.reading() as cursor:
            return names(segment_table.within(cursor, "porch", began, ended, limit), those)

    assert found(NOON - 2 * MINUTE, NOON + 2 * MINUTE) == "abcd"
    assert found(NOON, NOON + MINUTE) == "c"
    assert found(NOON - 1, NOON + 1) == "bc"
    assert found(NOON + MINUTE + 1, NOON + MINUTE + 2) == "d"
    assert found(NOON - 2 * MINUTE, NOON + 2 * MINUTE, limit=2) == "ab"


def test_an_outline_is_without_what_only_playing_needs(database: Database) -> None:
    """A list of a day costs nothing for each segment's index, unless somebody wants it."""
    segment = a_segment()
    put(database, segment)
    with database.reading() as cursor:
        assert segment_table.within(cursor, "porch", NOON, NOON + 1, 1) == [replace(segment, init=b"", fragments=())]
        assert segment_table.within(cursor, "porch", NOON, NOON + 1, 1, whole=True) == [segment]


def test_a_moment_is_in_a_segment_or_shortly_before_one(database: Database) -> None:
    """Who asks for a moment in a gap is given what begins within two seconds of it, and else nothing."""
    first, second = a_segment(NOON), a_segment(NOON + 2 * MINUTE)
    put(database, first, second)

    def at(time: float) -> Segment | None:
        with database.reading() as cursor:
            return segment_table.at(cursor, "porch", time)

    assert at(NOON) == at(NOON + 59.9) == first
    assert at(NOON + 60) is None
    assert at(NOON + 2 * MINUTE - 1.9) == second
    assert at(NOON + 2 * MINUTE - 2.1) is None
