"""What recorders say is written down together, and waits where that does not work."""

from dataclasses import replace

import pytest

from streamer.archive.database import Database, DatabaseAway
from streamer.archive.recordings import box_table, index_writer, seen_table, segment_sums, segment_table
from streamer.archive.recordings.found import Seen
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.segment import Segment
from streamer.values.coded import MICROSECONDS
from tests.archive.events import NOON
from tests.archive.recordings.segments import SIZE, a_box, a_segment


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def writer(database: Database, held: Held) -> IndexWriter:
    return IndexWriter(database, held)


def written(database: Database, segment: Segment) -> Segment | None:
    with database.reading() as cursor:
        return segment_table.one(cursor, segment.id)


def test_segments_boxes_and_what_was_seen_are_written_at_once(database: Database, writer: IndexWriter) -> None:
    """One writing down has the newest of each segment, all its boxes so far, and what was seen in its minutes."""
    segment = a_segment(ended_at=None)
    boxes = writer.boxes_of("porch")
    boxes.begun(segment, 1)
    boxes.answered(1, segment.first_time + 5, SIZE, [a_box()])
    writer.put(replace(segment, size=1))
    writer.put(segment)
    writer.flush()
    boxes.answered(1, segment.first_time + MICROSECONDS, SIZE, [a_box(score=1.0)])
    writer.flush()
    assert written(database, segment) == segment
    with database.reading() as cursor:
        assert box_table.of(cursor, [segment.id])[segment.id].times.tolist() == [5, MICROSECONDS]
        assert seen_table.between(cursor, "porch", NOON, NOON + 60, 60) == [Seen(NOON, "person", 2, 1.0)]


def test_while_the_database_is_away_all_waits(
    database: Database, writer: IndexWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written is written later, and the newest of a segment stays the newest."""
    segment = a_segment(ended_at=None)
    boxes = writer.boxes_of("porch")
    boxes.begun(segment, 1)
    boxes.answered(1, segment.first_time, SIZE, [])
    writer.put(segment)
    ended = replace(segment, ended_at=NOON + 60)

    def away() -> None:
        writer.put(ended)  # meanwhile
        raise DatabaseAway("no room")

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", away)
        with pytest.raises(DatabaseAway):
            writer.flush()
    assert written(database, segment) is None
    assert writer.known([segment.id, "other"]) == {segment.id}
    writer.flush()
    assert written(database, segment) == ended
    with database.reading() as cursor:
        assert len(box_table.of(cursor, [segment.id])) == 1
    assert (writer.waiting, writer.lost) == (0, 0)


def test_a_row_the_database_will_not_have_keeps_no_other_out(database: Database, writer: IndexWriter) -> None:
    """What is refused is counted, and the others are kept."""
    good, bad = a_segment(NOON), a_segment(NOON + 60, first_time=1 << 70)
    writer.put(bad)
    writer.put(good)
    writer.flush()
    assert written(database, good) == good
    assert writer.lost == 1
    assert writer.waiting == 0


def test_what_was_removed_does_not_come_back(database: Database, writer: IndexWriter) -> None:
    """A recorder that still says something of a segment that is gone is not heard."""
    segment = a_segment()
    writer.put(segment)
    writer.forget([segment.id])
    writer.put(segment)
    writer.flush()
    assert written(database, segment) is None


def test_what_is_held_grows_by_what_is_new(database: Database, writer: IndexWriter, held: Held) -> None:
    """A segment that is written down again counts with what it has grown by."""
    writer.put(a_segment(stream="yard"))
    writer.flush()
    assert held.sizes == {}
    with database.reading() as cursor:
        held.count(segment_sums.sizes(cursor))
    segment = a_segment(size=300, ended_at=None)
    for size in (300, 800):
        writer.put(replace(segment, size=size))
        writer.flush()
    assert held.sizes == {"yard": 1000, "porch": 800}
    assert held.size == 1800


def test_what_waits_is_bounded(database: Database, writer: IndexWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many segments the oldest are lost, and counted; their files are found at the next start."""
    monkeypatch.setattr(index_writer, "MOST_WAITING", 2)
    segments = [a_segment(NOON + 60 * number) for number in range(3)]
    for segment in segments:
        writer.put(segment)
    writer.flush()
    assert [written(database, segment) for segment in segments] == [None, *segments[1:]]
    assert writer.lost == 1
