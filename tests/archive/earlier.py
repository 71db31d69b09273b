"""An archive as the service before replicas left it: schema 5, a row of everything in it, and the files beside it.

The ids are those of version_5.sql, which that service wrote: a name here says what is special about a row.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive import event_table, migrations
from streamer.archive.database import Cursor, Database, Row
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.recordings import segment_table
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.archive.sqlite import Sqlite
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture
from tests.archive.recordings.coded import FPS, pictures_of
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock

VERSION = 5
SAID = (Path(__file__).parent / "version_5.sql").read_text()

REVIEWED = "019acf7b-fa00-722e-a9a0-3f0eddc5fded"
MARKED = "019acf7c-2110-7153-a8a2-7f5677d7ca3e"
"""Bookmarked; its pictures are in object storage too."""
FAR = "019acf7c-4820-74da-90c8-360af8765ece"
"""Its pictures are in object storage alone."""
PLAIN = "019acf7c-5ba8-7f24-8c38-d3a84127a658"
"""Without pictures."""
GOING_ON = "019acf7d-0b70-7405-84da-0e7e838398df"
"""The service was killed meanwhile. The phone was told, and wants the end."""
SILENCED = "019acf7d-22e0-7e0f-a3cb-55950429fe1a"
EVENTS = (REVIEWED, MARKED, FAR, PLAIN, GOING_ON, SILENCED)

OLD = "019aa649-1a00-7583-a1cc-e32c83180a72"
"""Of eight days before."""
BOXED = "019acf7b-fa00-77bb-b774-529aed37c317"
OF_EVENT = "019acf7c-e460-7d87-9b08-b3cefc1c5e66"
COPIED = "019acf7d-cec0-7281-a429-0b959f61acb8"
"""In object storage too."""
REMOTE = "019acf7e-b920-7593-9051-e223505d2348"
"""There alone."""
CUT = "019acf85-21c0-72fe-b2bd-eedceebe6d41"
"""Being written when the service was killed."""
LOST = "019acf86-0c20-7a58-bd00-aadc13f53789"
"""Likewise, and nothing is on the disk."""
SEGMENTS = (OLD, BOXED, OF_EVENT, COPIED, REMOTE, CUT, LOST)

Rows = Mapping[str, list[Row]]


def fill(database: Database) -> None:
    """Make that schema, by its own steps, and write the rows."""
    known = migrations.steps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "steps", lambda: {number: known[number] for number in range(1, VERSION + 1)})
        assert migrate(database) == VERSION
    with database.writing() as cursor:
        cursor.run("DELETE FROM outbox_number")  # the step has made its only row
        for statement in SAID.splitlines():
            if statement.startswith("INSERT"):
                cursor.run(statement if isinstance(database, Sqlite) else re.sub(r"X'(\w+)'", r"'\\x\1'", statement))


def tables() -> dict[str, str]:
    """Of schema 5, with their columns."""
    return dict(re.findall(r"^INSERT INTO (\w+) \(([^)]*)\)", SAID, re.MULTILINE))


def rows(database: Database, of: Mapping[str, str]) -> Rows:
    """All of these tables, in these columns."""
    with database.reading() as cursor:
        return {
            table: sorted((tuple(map(_plain, row)) for row in cursor.all(f"SELECT {columns} FROM {table}")), key=repr)  # noqa: S608
            for table, columns in of.items()
        }


def everything(database: Database) -> Rows:
    """All that today's schema holds, but for who may tell for how long."""
    newer = ("schema_version", "doomed_file", "event_change")
    return rows(database, dict.fromkeys((*tables(), *newer), "*"))


def event(database: Database, id_: str) -> Event:
    with database.reading() as cursor:
        kept = event_table.one(cursor, id_)
    assert kept is not None
    return kept.event


def segment(cursor: Cursor, id_: str) -> Segment:
    found = segment_table.one(cursor, id_)
    assert found is not None
    return found


class Disk:
    """What lies in an archive's folder, beside its database."""

    def __init__(self, folder: Path) -> None:
        self.pictures, self.files = Pictures(folder / "pictures"), RecordingFiles(folder / "recordings")
        self._apart = folder / "written"

    def fill(self, database: Database) -> None:
        """Write the files of all rows that have some here; the database has today's schema."""
        for id_ in (REVIEWED, MARKED, GOING_ON, SILENCED):
            self.pictures.write(event(database, id_), a_picture())
        with database.reading() as cursor:
            found = {id_: segment(cursor, id_) for id_ in SEGMENTS if id_ not in (REMOTE, LOST)}
        for id_, each in found.items():
            path = self.files.path(each)
            path.parent.mkdir(parents=True, exist_ok=True)
            if id_ == CUT:
                self._film().rename(path)
            else:
                path.write_bytes(bytes(each.size))

    def segments(self) -> set[str]:
        """Ids of those that have a file here."""
        return {path.stem for path in self.files.folder.rglob("*.mp4")}

    def events(self) -> set[str]:
        """Ids of those that have both pictures here."""
        names = {path.name for path in self.pictures.folder.rglob("*.jpg")}
        return {id_ for id_ in EVENTS if {f"{id_}.jpg", f"{id_}.thumbnail.jpg"} <= names}

    def _film(self) -> Path:
        """A file that nobody ended: three of its four seconds are whole."""
        self._apart.mkdir()
        clip = make_clip(self._apart / "clip.mkv", width=160, height=120, fps=FPS, seconds=4, gop=FPS)
        index = FakeIndex(self._apart)
        writer = SegmentWriter(
            "gate", index, index.boxes_of("gate"), clock=FakeClock(0.0), wall=FakeClock(NOON), tally=Tally()
        )
        for picture in pictures_of(clip):
            writer.put(replace(picture, received_at=0.0), has_event=False)
        (written,) = index.segments
        return index.path(written)


def _plain(cell: object) -> object:
    return bytes(cell) if isinstance(cell, memoryview) else cell
