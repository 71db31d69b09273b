"""Segments whose files are gone."""

from pathlib import Path

import pytest

from streamer.archive.database import Database
from streamer.archive.recordings import segment_table, strays
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.strays import Strays
from tests.archive.events import NOON
from tests.archive.recordings.segments import a_segment

LATER = NOON + 86_400


def put(database: Database, files: RecordingFiles, *segments: Segment, written: bool = True) -> None:
    for segment in segments if written else ():
        files.path(segment).parent.mkdir(parents=True, exist_ok=True)
        files.path(segment).write_bytes(b"video")
    with database.writing() as cursor:
        segment_table.put(cursor, segments)


def looked_through(database: Database, files: RecordingFiles, held: Held) -> Strays:
    looked = Strays(database, files, held, LATER)
    while not looked.is_done:
        looked.step()
    return looked


def test_what_has_no_file_is_in_the_index_no_more(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page; what is elsewhere too is known to be there alone, what goes on or is newer is left."""
    monkeypatch.setattr(strays, "PAGE", 2)
    files, held = RecordingFiles(tmp_path), Held()
    there = [a_segment(NOON + number) for number in range(5)]
    gone, remote = a_segment(NOON + 2.5), a_segment(NOON + 3.5, is_remote=True)
    going_on, newer = a_segment(NOON, ended_at=None), a_segment(LATER + 1)
    put(database, files, *there)
    put(database, files, gone, remote, going_on, newer, written=False)
    held.count({"porch": 9000})
    assert looked_through(database, files, held).found == 2
    with database.reading() as cursor:
        rows = {each.id: segment_table.one(cursor, each.id) for each in (*there, gone, remote, going_on, newer)}
    assert [rows[each.id] for each in (*there, gone, going_on, newer)] == [*there, None, going_on, newer]
    left = rows[remote.id]
    assert left is not None
    assert (left.is_local, left.is_remote) == (False, True)
    assert held.size == 8000


def test_without_its_disk_the_index_stays(database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where none of the newest files is there, the disk is not mounted: nothing is forgotten, and that is said."""
    files = RecordingFiles(tmp_path / "recordings")
    segments = [a_segment(NOON + number) for number in range(3)]
    put(database, files, *segments, written=False)
    assert looked_through(database, files, Held()).found == 0
    with database.reading() as cursor:
        assert len(segment_table.sizes_of(cursor, [each.id for each in segments])) == 3
    assert "is its disk mounted?" in caplog.text
