"""What segments are together, in both databases."""

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.recordings import segment_sums, segment_table
from streamer.archive.recordings.found import RecordedDay, Span
from streamer.archive.recordings.segment import Segment
from tests.archive.events import NOON, an_event
from tests.archive.recordings.segments import MINUTE, a_segment

DAY = 86_400.0


def put(database: Database, *segments: Segment) -> None:
    with database.writing() as cursor:
        segment_table.put(cursor, segments)


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
        assert segment_sums.spans(cursor, "porch", NOON + 10, NOON + DAY) == [
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
        assert segment_sums.days(cursor, "porch", NOON - DAY, NOON + 2 * DAY, 0) == [
            RecordedDay("2025-11-29", 120.0, 2000, 1),
            RecordedDay("2025-11-30", 0.0, 0, 1),
        ]
        assert segment_sums.days(cursor, "porch", NOON - DAY, NOON + 2 * DAY, 3600) == [
            RecordedDay("2025-11-29", 60.0, 1000, 1),
            RecordedDay("2025-11-30", 60.0, 1000, 1),
        ]


def test_streams_and_sizes_are_told_apart(database: Database) -> None:
    """Each name once, in order, and the bytes of each."""
    put(database, a_segment(NOON, stream="b"), a_segment(NOON, stream="a"), a_segment(NOON + 1, stream="b", size=5))
    with database.reading() as cursor:
        assert segment_sums.streams(cursor) == ["a", "b"]
        assert segment_sums.sizes(cursor) == {"a": 1000, "b": 1005}


def test_a_day_of_bytes_is_counted_from_its_beginning(database: Database) -> None:
    """What began before counts for since when there are recordings, and for no bytes."""
    put(database, a_segment(NOON - DAY - 1), a_segment(NOON - DAY), a_segment(NOON), a_segment(NOON, stream="yard"))
    with database.reading() as cursor:
        assert segment_sums.recent(cursor, "porch", NOON - DAY) == (2000, NOON - DAY - 1)
        assert segment_sums.recent(cursor, "nobody", NOON - DAY) == (0, None)
