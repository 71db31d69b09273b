"""What is done to recordings while nobody asks."""

from dataclasses import replace
from pathlib import Path

from streamer.archive.database import Database
from streamer.archive.recordings import box_table, segment_table
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.retention import STEP, RecordingRetention
from streamer.archive.recordings.rules import DAY, RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.upkeep import COUNT_INTERVAL, Upkeep
from tests.archive.events import NOON
from tests.archive.recordings.segments import a_segment

RULES = RecordingRules(keep_days=2, keep_boxes_days=2, min_free_bytes=0)


def an_upkeep(database: Database, folder: Path, rules: RecordingRules = RULES) -> Upkeep:
    files, held = RecordingFiles(folder), Held()
    return Upkeep(database, files, held, RecordingRetention(rules, database, files, IndexWriter(database, held), held))


def put(database: Database, folder: Path, *segments: Segment) -> None:
    files = RecordingFiles(folder)
    for segment in segments:
        files.path(segment).parent.mkdir(parents=True, exist_ok=True)
        files.path(segment).write_bytes(b"video")
    with database.writing() as cursor:
        segment_table.put(cursor, segments)


def test_what_is_due_goes_before_anything_else_is_looked_at(database: Database, tmp_path: Path) -> None:
    """Step by step: what is old, then whether all files are there, with no pause until both are done."""
    old = [a_segment(NOON + number) for number in range(STEP + 1)]
    kept, gone = a_segment(NOON + 3 * DAY), a_segment(NOON + 3 * DAY - 60)
    put(database, tmp_path, *old, kept, gone)
    RecordingFiles(tmp_path).path(gone).unlink()
    upkeep = an_upkeep(database, tmp_path)

    def left() -> int:
        with database.reading() as cursor:
            return len(segment_table.sizes_of(cursor, [each.id for each in (*old, kept, gone)]))

    assert (upkeep.step(NOON + 4 * DAY), left()) == (True, 3)
    assert (upkeep.step(NOON + 4 * DAY), left()) == (False, 1)


def test_days_that_fit_are_counted_now_and_then(database: Database, tmp_path: Path) -> None:
    """From the last day's bytes, what is held and what is free; again after some minutes, and with old boxes gone."""
    put(database, tmp_path, *(a_segment(NOON + 60 * number, size=1000) for number in range(60)))
    upkeep = an_upkeep(database, tmp_path, replace(RULES, keep_bytes=24 * 60_000 * 3))
    upkeep.step(NOON + 3600)
    assert upkeep.days_fit == {"porch": 3.0}
    with database.writing() as cursor:
        box_table.put(cursor, [PlacedBoxes("gone", "porch", NOON - 3 * DAY, BoxColumns.of({}))])
    upkeep.step(NOON + 3601)
    with database.reading() as cursor:
        assert box_table.of(cursor, ["gone"])
    upkeep.step(NOON + 3600 + COUNT_INTERVAL)
    with database.reading() as cursor:
        assert not box_table.of(cursor, ["gone"])
    assert upkeep.days_fit["porch"] > 3.0
