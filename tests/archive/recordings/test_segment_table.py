"""The table of segments, in both databases."""

from dataclasses import replace

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.recordings import segment_table
from streamer.archive.recordings.found import RecordedDay, Span
from streamer.archive.recordings.segment import Fragment, Segment
from streamer.archive.recordings.segment_table import Which
from tests.archive.events import NOON, an_event
from tests.archive.recordings.segments import MINUTE, a_segment

DAY = 86_400.0


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


def test_spans_have_no_seams_but_where_events_begin(database: Database) -> None:
    """Segments that go on from each other are one span, cut to what is asked for; a gap or an event begins another."""
    put(
        database,
        a_segment(NOON),
        a_segment(NOON + MINUTE),
        a_segment(NOON + 2 * MINUTE, has_event=True),
        a_segment(NOON + 5 * MINUTE, ended_at=None),
    )
    with database.reading() as cursor:
        assert segment_table.spans(cursor, "porch", NOON + 10, NOON + DAY) == [
            Span(NOON + 10, NOON + 2 * MINUTE, False),
            Span(NOON + 2 * MINUTE, NOON + 3 * MINUTE, True),
            Span(NOON + 5 * MINUTE, NOON + 6 * MINUTE, False),
        ]


def test_days_are_those_of_who_asks(database: Database) -> None:
    """A segment and an event belong to the day they begin on, by the midnight of whoever looks."""
    late = a_segment(NOON + 11.5 * 3600)
    put(database, a_segment(NOON), late)
    with database.writing() as cursor:
        event_table.put(cursor, [(an_event(NOON + 1), None), (an_event(NOON + DAY), None)])
    with database.reading() as cursor:
        assert segment_table.days(cursor, "porch", NOON - DAY, NOON + 2 * DAY, 0) == [
            RecordedDay("2025-11-29", 120.0, 2000, 1),
            RecordedDay("2025-11-30", 0.0, 0, 1),
        ]
        assert segment_table.days(cursor, "porch", NOON - DAY, NOON + 2 * DAY, 3600) == [
            RecordedDay("2025-11-29", 60.0, 1000, 1),
            RecordedDay("2025-11-30", 60.0, 1000, 1),
        ]


def test_the_oldest_are_read_page_by_page(database: Database) -> None:
    """All that have ended before a moment come once, oldest first, however many a page holds; others never."""
    segments = [a_segment(NOON + number // 2 * MINUTE, stream="ab"[number % 2]) for number in range(10)]
    event, going_on = a_segment(NOON, has_event=True, stream="a"), a_segment(NOON, ended_at=None, stream="a")
    put(database, *segments, event, going_on)

    def found(which: Which) -> set[str]:
        with database.reading() as cursor:
            ids = [segment.id for segment in segment_table.oldest(cursor, which, page=3)]
        assert len(ids) == len(set(ids))
        assert [id_[:13] for id_ in ids] == sorted(id_[:13] for id_ in ids)
        return set(ids)

    assert found(Which(False, ended_before=NOON + DAY)) == {segment.id for segment in segments}
    assert found(Which(False, "a", ended_before=NOON + DAY)) == {segment.id for segment in segments[::2]}
    assert found(Which(False, None, ("a",), NOON + DAY)) == {segment.id for segment in segments[1::2]}
    assert found(Which(False, ended_before=NOON + 3 * MINUTE)) == {segment.id for segment in segments[:4]}
    assert found(Which(True, ended_before=NOON + DAY)) == {event.id}


def test_streams_and_sizes_are_told_apart(database: Database) -> None:
    """Each name once, in order, and the bytes of each."""
    put(database, a_segment(NOON, stream="b"), a_segment(NOON, stream="a"), a_segment(NOON + 1, stream="b", size=5))
    with database.reading() as cursor:
        assert segment_table.streams(cursor) == ["a", "b"]
        assert segment_table.sizes(cursor) == {"a": 1000, "b": 1005}
