"""An archive with an hour of one stream: real files, rows, boxes and events."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.archive import event_table
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.recordings import box_table, segment_table
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.box_sample import sample_of
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.archive.terminal.at_rest import AtRest
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.recordings.segments import a_box
from tests.peers.recorded import record

KEPT = [
    an_event(NOON + 1, last_at=NOON + 2, ended_at=NOON + 2),
    an_event(NOON + 9, last_at=NOON + 9.5, ended_at=NOON + 10),
]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Segment]]:
    """Three segments of four seconds: two in a row, and another form; and the folder they are in."""
    folder = tmp_path_factory.mktemp("recorded")
    return folder, [
        record(folder, NOON, stream="porch"),
        record(folder, NOON + 4, stream="porch", first=120, follows=True, has_event=True),
        record(folder, NOON + 8, stream="porch", size=(320, 240)),
    ]


@pytest.fixture
def segments(recorded: tuple[Path, list[Segment]]) -> list[Segment]:
    return recorded[1]


@pytest.fixture
def archive(tmp_path: Path, recorded: tuple[Path, list[Segment]]) -> Iterator[AtRest]:
    """One of a service that runs no more, as its folder says."""
    source, segments = recorded
    folder = tmp_path / "archive"
    folder.mkdir()
    database = Sqlite(folder / "sightline.db")
    migrate(database)
    at_rest = AtRest(database, folder, RetentionRules(days=36_500), RecordingRules(36_500, 36_500, 36_500))
    (folder / "recordings").mkdir()
    for file in source.glob("**/*.mp4"):
        there = at_rest.files.folder / file.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.hardlink_to(file)
    pictures = Pictures(folder / "pictures")
    for event in KEPT:
        pictures.write(event, a_picture())
    samples = {200_000 * number: sample_of((160, 120), [a_box()]) for number in range(20)}
    with database.writing() as cursor:
        segment_table.put(cursor, segments)
        event_table.put(cursor, [(event, a_picture()) for event in KEPT])
        box_table.put(cursor, [PlacedBoxes(segments[0].id, "porch", NOON, BoxColumns.of(samples))])
    yield at_rest
    database.close()
