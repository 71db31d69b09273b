"""What a killed service left is found, made whole and listed, and what is there is never lost."""

from dataclasses import replace
from pathlib import Path

from streamer.archive.recordings.mending import PART
from streamer.archive.recordings.recovery import Recovery
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.values.uuid7 import uuid7
from tests.archive.recordings.coded import FPS, numbers_in
from tests.archive.recordings.conftest import Coded
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clock import FakeClock

NOON = 1_790_000_000.0


def recovered(index: FakeIndex, *ours: str) -> Recovery:
    """One that has run."""
    recovery = Recovery(index, set(ours).__contains__)
    recovery.run()
    return recovery


def left(index: FakeIndex, coded: Coded, at: float = NOON) -> Segment:
    """A segment that nobody ended: three of its four seconds are on disk."""
    writer = SegmentWriter(
        "gate", index, index.boxes_of("gate"), clock=FakeClock(0.0), wall=FakeClock(at), tally=Tally()
    )
    for picture in coded("h264"):
        writer.put(replace(picture, received_at=0.0), has_event=False)
    (segment,) = [each for each in index.segments if each.began_at == at]
    return segment


def test_a_segment_without_an_end_gets_one(coded: Coded, index: FakeIndex) -> None:
    """What the index has begun is ended when its last whole second was shown."""
    segment = left(index, coded)
    assert recovered(index).mended == 1
    (now,) = index.segments
    assert (now.id, now.ended_at, now.pictures) == (segment.id, NOON + 3, 3 * FPS)
    assert numbers_in(index.path(now)) == list(range(3 * FPS))


def test_a_file_without_a_row_gets_one(coded: Coded, index: FakeIndex) -> None:
    """A file that the index never heard of is listed by the time its name carries and what it holds."""
    segment = left(index, coded)
    index.rows.clear()
    recovered(index)
    (now,) = index.segments
    assert (now.id, now.stream, now.began_at, now.ended_at) == (segment.id, "gate", NOON, NOON + 3)
    assert (now.codec, now.width, now.height, now.pictures) == ("h264", 160, 120, 3 * FPS)
    assert now.mime == segment.mime


def test_what_this_service_writes_is_left_alone(coded: Coded, index: FakeIndex) -> None:
    """A segment that was begun since the start is nobody's leavings, with a row or without."""
    one, other = left(index, coded), left(index, coded, NOON + 60)
    del index.rows[other.id]
    recovery = recovered(index, one.id, other.id)
    assert recovery.mended == 0
    assert index.segments == [one]


def test_nothing_whole_is_struck(coded: Coded, index: FakeIndex) -> None:
    """A row without a file, and a file without a whole second, are let go."""
    one, other = left(index, coded), left(index, coded, NOON + 60)
    index.path(one).unlink()
    index.path(other).write_bytes(index.path(other).read_bytes()[:900])
    assert recovered(index).removed == 2
    assert index.segments == []
    assert not index.path(other).exists()


def test_a_disk_that_is_not_there_takes_nothing_along(coded: Coded, index: FakeIndex, tmp_path: Path) -> None:
    """Where the whole folder is missing, which a disk that is not mounted looks like, the index keeps its rows."""
    segment = left(index, coded)
    index.folder.rename(tmp_path / "elsewhere")
    assert recovered(index).unreadable == 1
    assert index.segments == [segment]


def test_what_is_none_of_ours_stays(coded: Coded, index: FakeIndex) -> None:
    """Files of other names, other makings or in another day's folder are neither listed nor removed."""
    day = index.path(left(index, coded)).parent
    strangers = [
        day / "holiday.mp4",
        day / f"{uuid7(NOON + 1)}.mp4",
        day / f"{uuid7(NOON + 5 * 86_400)}.mp4",
        day / "a.txt",
    ]
    for stranger in strangers:
        stranger.write_bytes(b"x" * 1000)
    recovery = recovered(index)
    assert (recovery.mended, recovery.unreadable) == (1, 3)
    assert all(stranger.exists() for stranger in strangers)


def test_what_was_being_mended_is_begun_again(coded: Coded, index: FakeIndex) -> None:
    """A service that is killed while it mends leaves the file as it was, and its copy goes."""
    segment = left(index, coded)
    part = index.path(segment).with_name(index.path(segment).name + PART)
    part.write_bytes(b"half")
    recovered(index)
    assert not part.exists()
    assert [each.pictures for each in index.segments] == [3 * FPS]
