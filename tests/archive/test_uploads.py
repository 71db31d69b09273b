"""What is closed goes to object storage, and stays here until it is there."""

import logging
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive import event_table, upload_table
from streamer.archive.database import Database
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.recordings import segment_table
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.archive.sqlite import Sqlite
from streamer.archive.storage import doomed_table
from streamer.archive.storage.bucket import Bucket
from streamer.archive.upload_table import Backlog
from streamer.archive.uploads import Uploads
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.recordings.segments import a_segment
from tests.peers.object_storage import ObjectStorage
from tests.peers.process import run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import wait_until

DAY = 86_400.0


class Uploading:
    """An archive's files and rows, and what brings them away."""

    def __init__(self, database: Database, folder: Path, storage: ObjectStorage) -> None:
        self.database, self.storage, self.now = database, storage, NOON
        bucket = Bucket(storage.place())
        self.pictures = Pictures(folder / "pictures", bucket)
        self.files = RecordingFiles(folder / "recordings")
        self.uploads = Uploads(bucket, database, self.pictures, self.files, 1.0, wall=lambda: self.now)

    def put(self, *segments: Segment) -> None:
        for segment in segments:
            path = self.files.path(segment)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(segment.id.encode()[:8] * (segment.size // 8))
        with self.database.writing() as cursor:
            segment_table.put(cursor, segments)

    def put_event(self, event: Event, image: bytes = b"image") -> None:
        self.pictures.write(event, a_picture(image))
        with self.database.writing() as cursor:
            event_table.put(cursor, [(event, a_picture(image))])

    def all(self) -> None:
        """Until there is nothing to do."""
        while self.uploads.step():
            pass

    def row(self, segment: Segment) -> Segment:
        with self.database.reading() as cursor:
            found = segment_table.one(cursor, segment.id)
        assert found is not None
        return found


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    """One that does not run yet."""
    return ObjectStorage(tmp_path / "storage")


@pytest.fixture
def uploading(database: Database, tmp_path: Path, storage: ObjectStorage) -> Uploading:
    """Of an empty archive."""
    return Uploading(database, tmp_path, storage)


def ended(at: float = NOON) -> Event:
    """An event that is over."""
    return an_event(at, ended_at=at + 2)


def test_what_is_closed_goes_there_under_its_own_name(uploading: Uploading) -> None:
    """Segments and pictures lie there as in the folder; what goes on stays here alone, and so does nothing else."""
    closed, going_on, event, open_event = a_segment(), a_segment(NOON + 60, ended_at=None), ended(), an_event(NOON + 9)
    uploading.put(closed, going_on)
    uploading.put_event(event)
    uploading.put_event(open_event)
    with uploading.storage.running():
        uploading.all()
    folder = uploading.files.folder.parent
    paths = (uploading.files.path(closed), uploading.pictures.image(event), uploading.pictures.thumbnail(event))
    expected = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    assert uploading.storage.objects() == expected
    assert (uploading.row(closed).is_local, uploading.row(closed).is_remote) == (True, True)
    assert not uploading.row(going_on).is_remote
    assert uploading.uploads.uploaded == {"segment": 1, "pictures": 1}
    assert uploading.uploads.backlog == Backlog()


def test_what_a_recorder_says_later_leaves_it_there(uploading: Uploading) -> None:
    """An event that is found in a closed segment changes its row, and not where its file is."""
    segment = a_segment()
    uploading.put(segment)
    with uploading.storage.running():
        uploading.all()
    with uploading.database.writing() as cursor:
        segment_table.put(cursor, [replace(segment, has_event=True)])
    assert uploading.row(segment) == replace(segment, has_event=True, is_remote=True)


def test_while_it_is_away_all_waits_and_is_said_once(uploading: Uploading, caplog: pytest.LogCaptureFixture) -> None:
    """Rows say what waits; each try asks for the next one; once it is back all go, removals too."""
    caplog.set_level(logging.INFO)
    segments = [a_segment(NOON + 60 * number) for number in range(3)]
    uploading.put(*segments)
    with uploading.database.writing() as cursor:
        doomed_table.add(cursor, ["recordings/gone.mp4"])
    for _ in range(3):
        uploading.uploads.step()
    assert "does not answer" in (uploading.uploads.failing or "")
    assert uploading.uploads.backlog == Backlog(3, 0, 1, 3000, NOON)
    assert caplog.text.count("nothing can be uploaded") == 1
    assert all(uploading.files.is_there(segment) for segment in segments)
    with uploading.storage.running():
        while uploading.uploads.backlog != Backlog():
            uploading.uploads.step()
    assert len(uploading.storage.objects()) == 3
    assert not uploading.uploads.failing
    assert caplog.text.count("takes files again") == 1


def test_one_that_is_gone_here_keeps_no_other(uploading: Uploading) -> None:
    """Its row is left for who looks for files that are gone."""
    gone, there = a_segment(), a_segment(NOON + 60)
    uploading.put(gone, there)
    uploading.files.path(gone).unlink()
    with uploading.storage.running():
        uploading.all()
    assert not uploading.row(gone).is_remote
    assert uploading.row(there).is_remote
    assert uploading.uploads.failing is None


def test_a_better_picture_that_comes_meanwhile_is_uploaded_too(uploading: Uploading) -> None:
    """One that is written while the one before is on its way takes its place there."""
    event = ended()
    uploading.put_event(event)
    real, images = uploading.uploads._bucket.upload, list[bytes]()

    def upload(key: str, path: Path) -> None:
        real(key, path)
        if not images:
            images.append(b"a better image")
            uploading.put_event(event, images[0])

    uploading.uploads._bucket.upload = upload  # type: ignore[method-assign]
    with uploading.storage.running():
        uploading.all()
        uploading.pictures.remove([event])
        assert uploading.pictures.read(uploading.pictures.image(event)) == b"a better image"


def test_pictures_leave_after_their_days_and_are_still_read(uploading: Uploading) -> None:
    """Files here go once they are there and old enough, and what is read then comes from there."""
    old, young = ended(NOON - 2 * DAY), ended(NOON - DAY / 2)
    for event in (old, young):
        uploading.put_event(event, event.id.encode())
    uploading.all()
    assert uploading.pictures.image(old).exists()
    with uploading.storage.running():
        uploading.all()
        assert not uploading.pictures.image(old).exists()
        assert uploading.pictures.image(young).exists()
        assert [uploading.pictures.read(uploading.pictures.image(each)) for each in (old, young)] == [
            old.id.encode(),
            young.id.encode(),
        ]
    with uploading.database.reading() as cursor:
        assert upload_table.copied_events(cursor, NOON - DAY, 5) == []


def test_a_segment_that_is_let_go_while_it_is_uploaded_goes_there_too(uploading: Uploading) -> None:
    """What comes there after its row has gone is removed again."""
    segment = a_segment()
    uploading.put(segment)
    real = uploading.uploads._bucket.upload

    def upload(key: str, path: Path) -> None:
        real(key, path)
        with uploading.database.writing() as cursor:
            segment_table.remove(cursor, [segment.id])

    uploading.uploads._bucket.upload = upload  # type: ignore[method-assign]
    with uploading.storage.running():
        uploading.uploads.step()
        assert len(uploading.storage.objects()) == 1
        uploading.all()
    assert uploading.storage.objects() == {}


@pytest.mark.parametrize("at", ["thumbnail", "image"])
def test_pictures_of_an_event_that_is_removed_while_they_are_uploaded_go_there_too(
    uploading: Uploading, at: str
) -> None:
    """Though what was to go there went before they came: after the first of both, or after the last."""
    event = ended()
    uploading.put_event(event)
    bucket, paths = uploading.uploads._bucket, (uploading.pictures.image(event), uploading.pictures.thumbnail(event))
    original = bucket.upload

    def upload(key: str, path: Path) -> None:
        original(key, path)
        if path == getattr(uploading.pictures, at)(event):
            with uploading.database.writing() as cursor:
                event_table.remove(cursor, [event.id])
            for each in paths:
                each.unlink()

    bucket.upload = upload  # type: ignore[method-assign]
    with uploading.storage.running():
        uploading.all()
    assert uploading.storage.objects() == {}
    assert uploading.uploads.uploaded == {"segment": 0, "pictures": 0}


def test_what_the_object_storage_will_not_let_go_keeps_nothing_else(uploading: Uploading) -> None:
    """Keys that may not remove still upload; the removal is tried again, and that is said."""
    segment = a_segment()
    uploading.put(segment)
    with uploading.database.writing() as cursor:
        doomed_table.add(cursor, ["recordings/locked.mp4"])

    def refuse(key: str) -> None:
        from streamer.archive.storage.bucket import StorageAway

        raise StorageAway("the object storage refuses: AccessDenied")

    uploading.uploads._bucket.remove = refuse  # type: ignore[method-assign]
    with uploading.storage.running():
        uploading.uploads.step()
    assert uploading.row(segment).is_remote
    assert uploading.uploads.failing == "the object storage refuses: AccessDenied"
    assert uploading.uploads.backlog.removals == 1


def test_no_kill_loses_what_is_to_be_uploaded(tmp_path: Path, storage: ObjectStorage) -> None:
    """Killed at whatever moment: what is marked is there and whole, and in the end all are, under one name each."""
    database, dice = Sqlite(tmp_path / "sightline.db"), random.Random(16)
    migrate(database)
    uploading = Uploading(database, tmp_path, storage)
    segments = [a_segment(NOON + 60 * number, size=6 << 20) for number in range(24)]
    uploading.put(*segments)
    program: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.archive.uploader",
        tmp_path,
        f"http://127.0.0.1:{storage.port}",
    ]
    environment = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}
    with storage.running():
        for _ in range(4):
            before = len(storage.objects())
            with run_process(program, environment) as process:
                process.wait_for_output("begun")
                wanted = before + dice.randint(1, 4)
                wait_until(lambda wanted=wanted: len(storage.objects()) >= wanted)  # type: ignore[misc]
                process.kill()
            marked = [each for each in segments if uploading.row(each).is_remote]
            assert {uploading.files.key(each) for each in marked} <= storage.objects().keys()
            assert set(storage.objects().values()) == {6 << 20}
        uploading.all()
        assert storage.objects().keys() == {uploading.files.key(each) for each in segments}
        one = uploading.files.path(segments[-1]).read_bytes()
        assert uploading.uploads._bucket.whole(uploading.files.key(segments[-1])) == one
    assert all(uploading.row(each).is_remote for each in segments)
    database.close()
