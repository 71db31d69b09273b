"""Which recordings go, and when."""

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive import event_table
from streamer.archive.database import Database, Row
from streamer.archive.kept import Review
from streamer.archive.recordings import box_table, seen_table, segment_ages, segment_table
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.found import Removed
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.retention import STEP, YOUNG, RecordingRetention
from streamer.archive.recordings.rules import DAY, GB, RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_row import segment_of
from streamer.archive.storage import doomed_table
from streamer.values.recording import Recording
from tests.archive.events import NOON, an_event
from tests.archive.recordings.segments import a_segment

FOREVER = RecordingRules(36_500, 36_500, 36_500, min_free_bytes=0)


class Disk:
    """The files of some segments, their rows, and what lets go of them."""

    def __init__(self, database: Database, folder: Path, rules: RecordingRules) -> None:
        self.database, self.files, self.held = database, RecordingFiles(folder), Held()
        self.retention = RecordingRetention(rules, database, self.files, IndexWriter(database, self.held), self.held)

    def put(self, *segments: Segment) -> None:
        for segment in segments:
            path = self.files.path(segment)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(segment.size))
        with self.database.writing() as cursor:
            segment_table.put(cursor, segments)

    def bookmark(self, at: float, seconds: float) -> None:
        event = an_event(at, last_at=at + seconds, ended_at=at + seconds)
        with self.database.writing() as cursor:
            event_table.put(cursor, [(event, None)])
            event_table.review(cursor, event.id, Review(bookmarked=True))

    def tidy(self, now: float) -> None:
        while self.retention.step(now):
            pass

    def left(self, *segments: Segment) -> list[Segment]:
        """Those of these that are there, rows as files."""
        with self.database.reading() as cursor:
            rows = segment_table.sizes_of(cursor, [segment.id for segment in segments])
        assert [self.files.is_there(segment) for segment in segments] == [segment.id in rows for segment in segments]
        return [segment for segment in segments if segment.id in rows]


def test_what_had_its_days_goes_events_later_and_bookmarks_never(database: Database, tmp_path: Path) -> None:
    """Video without an event goes first, that of an event later, that of a bookmarked one stays: with its seconds."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=2, keep_event_days=5))
    plain, event = a_segment(NOON), a_segment(NOON + 60, has_event=True)
    marked = [a_segment(NOON + 600 + 60 * number, has_event=True) for number in range(4)]
    young = a_segment(NOON + 1.5 * DAY)
    disk.put(plain, event, *marked, young)
    disk.bookmark(NOON + 664, 4)  # from 659, in the first of them, to 678
    disk.tidy(NOON + 3 * DAY)
    assert disk.left(plain, event, *marked, young) == [event, *marked, young]
    disk.tidy(NOON + 90 * DAY)
    assert disk.left(plain, event, *marked, young) == marked[:2]
    assert not disk.files.path(young).parent.exists()


def test_nothing_goes_until_it_is_known_what_streams_say_and_never_by_days_that_are_not_theirs(
    database: Database, tmp_path: Path
) -> None:
    """Of replicas each hears it from the others: neither age, bytes nor a full disk take what may be kept for long."""
    crowded = replace(FOREVER, keep_days=2, keep_bytes=2500, min_free_bytes=10**18, are_known=False)
    disk = Disk(database, tmp_path, crowded)
    of = {name: a_segment(NOON + 60 * number, stream=name) for number, name in enumerate(("long", "odd", "a"))}
    disk.put(*of.values())
    disk.tidy(NOON + 30 * DAY)
    assert disk.left(*of.values()) == list(of.values())
    disk.retention.rules = replace(disk.retention.rules, keep_bytes=None, min_free_bytes=0)
    disk.retention.know({"long": Recording(keep_days=365), "odd": None})
    disk.tidy(NOON + 30 * DAY)
    assert disk.left(*of.values()) == [of["long"], of["odd"]]
    disk.retention.rules = replace(disk.retention.rules, keep_bytes=0)
    disk.tidy(NOON + 30 * DAY)
    assert disk.left(*of.values()) == [of["odd"]]
    disk.retention.know({"long": Recording(keep_days=365), "odd": Recording()})
    disk.tidy(NOON + 30 * DAY)
    assert disk.left(*of.values()) == []


def test_who_looks_for_what_is_old_reads_nothing_that_is_younger(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it another replica's, of which there may be millions: each look is through all that it reads."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=2, keep_event_days=2))
    disk.files.replica = "near"
    disk.put(*(a_segment(NOON + 60 * number, replica="near") for number in range(5)))
    disk.put(*(a_segment(NOON + 60 * number + 1, replica="far", has_event=number > 2) for number in range(5)))
    read: list[str] = []

    def counted(row: Row) -> Segment:
        segment = segment_of(row)
        read.append(segment.id)
        return segment

    monkeypatch.setattr(segment_ages, "segment_of", counted)
    assert disk.retention.step(NOON + 1.9 * DAY) == 0
    assert read == []
    assert disk.retention.step(NOON + 2 * DAY + 61) == 2
    assert len(read) == 2


def test_a_stream_may_have_days_of_its_own(database: Database, tmp_path: Path) -> None:
    """Of a stream that keeps for longer, events stay at least as long; one that keeps less keeps its events."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=2, keep_event_days=5))
    disk.retention.keep_as("long", Recording(keep_days=8))
    disk.retention.keep_as("short", Recording(keep_days=1))
    streams = {
        name: [a_segment(NOON, stream=name, has_event=has) for has in (False, True)] for name in ("long", "short", "x")
    }
    those = [segment for pair in streams.values() for segment in pair]
    disk.put(*those)
    disk.tidy(NOON + 1.5 * DAY)
    assert disk.left(*those) == [*streams["long"], streams["short"][1], *streams["x"]]
    disk.tidy(NOON + 3 * DAY)
    assert disk.left(*those) == [*streams["long"], streams["short"][1], streams["x"][1]]
    disk.tidy(NOON + 6 * DAY)
    assert disk.left(*those) == streams["long"]
    disk.tidy(NOON + 9 * DAY)
    assert disk.left(*those) == []


def test_beyond_the_bytes_goes_what_has_used_up_most_of_its_days(database: Database, tmp_path: Path) -> None:
    """Of all streams together: a day out of two goes after two days out of three, and no more than must."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=2, keep_event_days=10, keep_bytes=3000))
    plain = [a_segment(NOON + number * 3600, stream="ab"[number % 2]) for number in range(4)]
    event = a_segment(NOON - DAY, has_event=True)
    disk.put(*plain, event)
    disk.tidy(NOON + DAY)
    assert disk.left(*plain, event) == [*plain[2:], event]
    assert disk.held.size == 3000
    assert disk.retention.removed == Removed(2, 2000)


def test_a_stream_beyond_its_bytes_gives_its_own(database: Database, tmp_path: Path) -> None:
    """A stream's limit takes of that stream alone."""
    disk = Disk(database, tmp_path, FOREVER)
    disk.retention.keep_as("a", Recording(keep_bytes=1500))
    of_a, of_b = ([a_segment(NOON + 60 * number, stream=name) for number in range(3)] for name in "ab")
    disk.put(*of_a, *of_b)
    disk.tidy(NOON + DAY)
    assert disk.left(*of_a, *of_b) == [of_a[2], *of_b]


def test_before_the_disk_is_full_the_oldest_go(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many go that there is as much room as there shall be, whatever their age; a bookmarked event's never."""
    disk = Disk(database, tmp_path, replace(FOREVER, min_free_bytes=3000))
    segments = [a_segment(NOON + 60 * number) for number in range(4)]
    disk.put(*segments)
    disk.bookmark(NOON + 10, 1)
    free = 1500
    monkeypatch.setattr(disk.files, "free", lambda: (free + disk.retention.removed.bytes, 100_000))
    disk.tidy(NOON + DAY)
    assert disk.left(*segments) == [segments[0], segments[3]]


def test_what_goes_on_or_has_just_ended_stays(database: Database, tmp_path: Path) -> None:
    """However full the disk is, nothing is taken from under a recorder's hands."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_bytes=1))
    going_on, fresh = a_segment(NOON, ended_at=None), a_segment(NOON - YOUNG, seconds=60)
    disk.put(going_on, fresh)
    disk.tidy(NOON + 50)
    assert disk.left(going_on, fresh) == [going_on, fresh]
    disk.tidy(NOON + 61)
    assert disk.left(going_on, fresh) == [going_on]


def test_it_goes_in_small_steps(database: Database, tmp_path: Path) -> None:
    """One step removes at most STEP segments, however many are due, so that whoever writes waits for no more."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=1))
    disk.put(*(a_segment(NOON + number) for number in range(STEP + 5)))
    assert [disk.retention.step(NOON + 9 * DAY) for _ in range(3)] == [STEP, 5, 0]


def test_a_file_that_cannot_be_removed_keeps_no_other(database: Database, tmp_path: Path) -> None:
    """It stays with its row, is told of once, and the next ones go."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=1))
    odd, plain = a_segment(NOON), a_segment(NOON + 60)
    disk.put(odd, plain)
    disk.files.path(odd).unlink()
    (disk.files.path(odd) / "folder").mkdir(parents=True)
    assert [disk.retention.step(NOON + 9 * DAY) for _ in range(2)] == [2, 0]
    with database.reading() as cursor:
        assert segment_table.one(cursor, odd.id) is not None
    assert disk.left(plain) == []


def test_boxes_outlive_the_video_and_no_video_its_boxes(database: Database, tmp_path: Path) -> None:
    """Boxes stay for their own days; those of video that is still there stay with it."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=1, keep_event_days=100, keep_boxes_days=10))
    gone, kept, young = a_segment(NOON), a_segment(NOON, has_event=True), a_segment(NOON + 5 * DAY)
    disk.put(gone, kept, young)
    with database.writing() as cursor:
        box_table.put(
            cursor, [PlacedBoxes(each.id, "porch", each.began_at, BoxColumns.of({})) for each in (gone, kept, young)]
        )
        seen_table.add(cursor, {("porch", int(at // 60), "person"): (1, 0.5) for at in (NOON, NOON + 5 * DAY)})
    disk.tidy(NOON + 9 * DAY)

    def boxes() -> set[str]:
        with database.reading() as cursor:
            return set(box_table.of(cursor, [gone.id, kept.id, young.id]))

    assert boxes() == {gone.id, kept.id, young.id}
    assert disk.retention.remove_old_boxes(NOON + 12 * DAY) == 1
    assert boxes() == {kept.id, young.id}
    with database.reading() as cursor:
        assert [seen.at for seen in seen_table.between(cursor, "porch", NOON, NOON + 90 * DAY, 60)] == [NOON + 5 * DAY]


@pytest.mark.parametrize(
    ("given", "free", "disk", "missing"),
    [
        (None, 4 * GB, 500 * GB, GB),
        (None, 4 * GB, 80 * GB, 0),
        (None, GB, 40 * GB, GB),
        (None, GB // 4, 4 * GB, GB // 4),
        (20 * GB, 4 * GB, 80 * GB, 16 * GB),
    ],
)
def test_a_small_disk_need_not_have_five_gigabytes_free(given: int | None, free: int, disk: int, missing: int) -> None:
    """Unless somebody says how much: five gigabytes, or of a small disk the twentieth part."""
    assert replace(FOREVER, min_free_bytes=given).missing(free, disk) == missing


def test_what_is_in_object_storage_too_leaves_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For want of room files that are there too go from here, oldest first; what is here alone goes only after them."""
    disk = Disk(database, tmp_path, replace(FOREVER, min_free_bytes=3000, keep_local_days=10))
    here = [a_segment(NOON + 60 * number) for number in range(2)]
    both = [a_segment(NOON + 600 + 60 * number, is_remote=True) for number in range(3)]
    disk.put(*here, *both)
    segments, free = [*here, *both], 1000

    def room() -> tuple[int, int]:
        return free + 1000 * sum(not disk.files.is_there(each) for each in segments), 100_000

    def local() -> list[Segment]:
        return [each for each in segments if disk.files.is_there(each)]

    monkeypatch.setattr(disk.files, "free", room)
    disk.tidy(NOON + 3600)
    assert local() == [*here, both[2]]
    with database.reading() as cursor:
        rows = [segment_table.one(cursor, each.id) for each in both]
    assert [row is not None and (row.is_local, row.is_remote) for row in rows] == [(False, True)] * 2 + [(True, True)]
    free -= 2000
    disk.tidy(NOON + 3600)
    assert local() == [here[1]]
    with database.reading() as cursor:
        assert [segment_table.one(cursor, each.id) is not None for each in segments] == [False, True, True, True, True]
        assert doomed_table.some(cursor, 9) == [disk.files.key(here[0])]
    assert disk.retention.removed == Removed(1, 1000)


def test_what_is_in_object_storage_too_leaves_after_its_days(database: Database, tmp_path: Path) -> None:
    """It is kept there for the days of its own, and then goes from there as well; a bookmarked one stays there."""
    disk = Disk(database, tmp_path, replace(FOREVER, keep_days=30, keep_local_days=2))
    old, marked, alone = (
        a_segment(NOON, is_remote=True),
        a_segment(NOON + 600, is_remote=True),
        a_segment(NOON + 900),
    )
    disk.put(old, marked, alone)
    disk.bookmark(NOON + 605, 1)
    disk.tidy(NOON + 1.9 * DAY)
    assert all(disk.files.is_there(each) for each in (old, marked, alone))
    disk.tidy(NOON + 3 * DAY)
    assert [disk.files.is_there(each) for each in (old, marked, alone)] == [False, False, True]
    assert disk.held.size == 3000
    disk.tidy(NOON + 40 * DAY)
    with database.reading() as cursor:
        found = [segment_table.one(cursor, each.id) is not None for each in (old, marked, alone)]
        assert found == [False, True, False]
        assert set(doomed_table.some(cursor, 9)) == {disk.files.key(each) for each in (old, alone)}
