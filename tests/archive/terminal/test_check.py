"""Whether what is on the disk is what the database says."""

from streamer.archive.recordings import segment_table
from streamer.archive.recordings.segment import Segment
from streamer.archive.terminal.at_rest import AtRest
from streamer.archive.terminal.check import check
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.recordings.segments import a_segment
from tests.archive.terminal.conftest import KEPT

LATER = NOON + 86_400


def test_an_archive_that_is_whole_has_no_faults(archive: AtRest, segments: list[Segment]) -> None:
    """All is counted, and how far it is is told."""
    told: list[str] = []
    found = check(archive, LATER, told.append)
    assert found.faults == 0
    (porch,) = found.streams
    assert (porch.segments, porch.began_at, porch.ended_at) == (3, NOON, NOON + 12)
    assert round(porch.gigabytes * 1e9) == sum(segment.size for segment in segments)
    assert found.events == 2
    assert told


def test_each_fault_is_counted_by_its_kind(archive: AtRest, segments: list[Segment]) -> None:
    """Files without rows, rows without files, files that are cut, what never ended; the same of pictures."""
    gone, cut, _ = segments
    archive.files.path(gone).unlink()
    path = archive.files.path(cut)
    data = path.read_bytes()
    path.unlink()  # and not another test's
    path.write_bytes(data[:-1])
    path.with_name("00000000-0000-7000-8000-000000000000.mp4").write_bytes(b"video")
    with archive.database.writing() as cursor:
        segment_table.put(cursor, [a_segment(NOON + 30, ended_at=None)])
    archive.pictures.image(KEPT[0]).unlink()
    archive.pictures.write(an_event(NOON + 3), a_picture())
    found = check(archive, LATER, lambda _: None)
    assert (found.files_missing, found.files_cut, found.files_unknown, found.unended) == (1, 1, 1, 1)
    assert (found.pictures_missing, found.pictures_unknown) == (1, 1)
    assert found.faults == 6


def test_what_is_young_may_be_on_its_way(archive: AtRest, segments: list[Segment]) -> None:
    """Beside a service that runs, files and rows of the last hour come one after the other."""
    archive.files.path(segments[0]).unlink()
    with archive.database.writing() as cursor:
        segment_table.put(cursor, [a_segment(NOON + 30, ended_at=None)])
    archive.pictures.write(an_event(NOON + 3), a_picture())
    found = check(archive, NOON + 60, lambda _: None)
    assert found.faults == 0
    assert found.streams[0].segments == 3
