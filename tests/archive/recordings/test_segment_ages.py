"""Segments by their age, in both databases."""

from streamer.archive.database import Database
from streamer.archive.recordings import segment_ages, segment_table
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_ages import Which
from tests.archive.events import NOON
from tests.archive.recordings.segments import MINUTE, a_segment

DAY = 86_400.0


def put(database: Database, *segments: Segment) -> None:
    with database.writing() as cursor:
        segment_table.put(cursor, segments)


def test_the_oldest_are_read_page_by_page(database: Database) -> None:
    """All that have ended before a moment come once, oldest first, however many a page holds; others never."""
    segments = [a_segment(NOON + number // 2 * MINUTE, stream="ab"[number % 2]) for number in range(10)]
    event, going_on = a_segment(NOON, has_event=True, stream="a"), a_segment(NOON, ended_at=None, stream="a")
    put(database, *segments, event, going_on)

    def found(which: Which) -> set[str]:
        with database.reading() as cursor:
            ids = [segment.id for segment in segment_ages.oldest(cursor, which, page=3)]
        assert len(ids) == len(set(ids))
        assert [id_[:13] for id_ in ids] == sorted(id_[:13] for id_ in ids)
        return set(ids)

    assert found(Which(False, ended_before=NOON + DAY)) == {segment.id for segment in segments}
    assert found(Which(False, "a", ended_before=NOON + DAY)) == {segment.id for segment in segments[::2]}
    assert found(Which(False, None, ("a",), NOON + DAY)) == {segment.id for segment in segments[1::2]}
    assert found(Which(False, ended_before=NOON + 3 * MINUTE)) == {segment.id for segment in segments[:4]}
    assert found(Which(True, ended_before=NOON + DAY)) == {event.id}


def test_what_should_be_here_is_read_by_id(database: Database) -> None:
    """What goes on, what is elsewhere and what is newer is left out."""
    here = [a_segment(NOON + number * MINUTE) for number in range(3)]
    put(database, *here, a_segment(NOON, ended_at=None), a_segment(NOON, is_local=False), a_segment(NOON + DAY))
    with database.reading() as cursor:
        first = segment_ages.local(cursor, "", NOON + DAY, 2)
        second = segment_ages.local(cursor, first[-1].id, NOON + DAY, 2)
        newest = segment_ages.newest_local(cursor, NOON + DAY, 2)
    assert [each.id for each in (*first, *second)] == [each.id for each in here]
    assert [each.id for each in newest] == [here[2].id, here[1].id]
