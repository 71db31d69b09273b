"""Recordings and pictures that are in object storage alone."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest

from streamer.archive import uploads
from streamer.archive.archive import Archive
from streamer.archive.recordings import recordings
from streamer.archive.recordings.segment import Segment
from tests.archive.events import a_picture, an_event
from tests.http.archived import archive_of, keep
from tests.http.guests import Door, cookie, everybody, run_door
from tests.http.recorded import FOR_EVER, NOON, folder_of
from tests.http.recorded import keep as keep_recorded
from tests.peers.clip import read_index
from tests.peers.object_storage import ObjectStorage
from tests.peers.recorded import record
from tests.peers.until import LOOK, until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "INTERVAL", 0.05)
    monkeypatch.setattr(recordings, "TIDY_INTERVAL", 0.05)


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    """One that does not run yet."""
    return ObjectStorage(tmp_path / "storage")


def kept(path: Path) -> dict[str, object]:
    """An archive there that lets nothing go."""
    return {"path": str(path), "days": 36_500, "recordings": FOR_EVER}


@asynccontextmanager
async def run_stored(path: Path, storage: ObjectStorage, *segments: Segment) -> AsyncIterator[tuple[Door, Archive]]:
    """A service that has brought all it had to object storage, and nothing of it is here any more."""
    settings = kept(path) | {"storage": {**storage.settings, "keep_local_days": 0}}
    async with run_door(everybody(), archive=settings) as door:
        archive = archive_of(door)
        recorders = door.service.keeping._recorders
        await until(lambda: recorders is not None and recorders._begun is None)
        for segment in segments:
            keep_recorded(door, path, segment)
        await until(lambda: len(storage.objects()) >= len(segments))
        await until(lambda: not any(archive.recordings.path(segment).exists() for segment in segments))
        yield door, archive


async def got(door: Door, path: str, **headers: str) -> tuple[int, bytes]:
    """What is answered."""
    async with door.ask("GET", path, cookie("admin") | headers) as response:
        return response.status, await response.read()


async def test_a_recording_is_sent_as_if_it_were_here(tmp_path: Path, storage: ObjectStorage) -> None:
    """The whole, a part, and its entries in a playlist are those of the file, and no more of it was asked for."""
    segment = record(folder_of(tmp_path), NOON)
    data = (folder_of(tmp_path) / f"a/2025/11/29/{segment.id}.mp4").read_bytes()
    base = f"/api/streams/a/recordings/{segment.id}"
    with storage.running():
        async with run_stored(tmp_path, storage, segment) as (door, _):
            assert await got(door, f"{base}.mp4") == (200, data)
            assert await got(door, f"{base}.mp4", Range="bytes=100-199") == (206, data[100:200])
            assert await got(door, f"{base}/init.mp4") == (200, segment.init)
            fragment = segment.fragments[0]
            status, entry = await got(door, f"{base}/{fragment.offset}-{fragment.offset + fragment.size}.m4s")
            assert (status, len(entry)) == (200, fragment.size)
            with av.open(io.BytesIO(segment.init + entry), "r") as container:
                assert len(list(container.decode(video=0))) == 15
            async with door.ask("GET", f"{base}.mp4", cookie("admin") | {"Range": "bytes=999999999-"}) as response:
                assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


async def test_clips_and_small_pictures_are_made_of_what_is_there(tmp_path: Path, storage: ObjectStorage) -> None:
    """A span over two files has every picture it should, a moment its own; nothing is brought back for it."""
    segments = [record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 4, first=120, follows=True)]
    with storage.running():
        async with run_stored(tmp_path, storage, *segments) as (door, archive):
            base = "/api/streams/a/recordings"
            status, clip = await got(door, f"{base}/clip.mp4?from={NOON + 3}&to={NOON + 5}")
            assert status == 200
            with av.open(io.BytesIO(clip), "r") as container:
                numbers = [read_index(picture.to_ndarray(format="bgr24")) for picture in container.decode(video=0)]
            assert [number for number in numbers if 90 <= number < 150] == list(range(90, 150))
            status, picture = await got(door, f"{base}/thumbnail.jpg?at={NOON + 4.5}&width=160")
            assert (status, picture[:2]) == (200, bytes.fromhex("ffd8"))
            assert not any(archive.recordings.path(segment).exists() for segment in segments)


async def test_a_file_that_goes_before_its_row_says_so_is_read_from_there(
    tmp_path: Path, storage: ObjectStorage
) -> None:
    """Clips and small pictures of a segment that is said to be here too are made, though its file has just gone."""
    segment = record(folder_of(tmp_path), NOON)
    with storage.running():
        settings = kept(tmp_path) | {"storage": {**storage.settings, "keep_local_days": 36_500}}
        async with run_door(everybody(), archive=settings) as door:
            recordings = archive_of(door).recordings
            recorders = door.service.keeping._recorders
            await until(lambda: recorders is not None and recorders._begun is None)
            keep_recorded(door, tmp_path, segment)
            while (row := await recordings.one(segment.id)) is None or not row.is_remote:  # noqa: ASYNC110  none tells
                await asyncio.sleep(LOOK)
            recordings.path(segment).unlink()
            assert row.is_local
            base = "/api/streams/a/recordings"
            assert (await got(door, f"{base}/clip.mp4?from={NOON + 1}&to={NOON + 2}"))[0] == 200
            assert (await got(door, f"{base}/thumbnail.jpg?at={NOON + 1.5}&width=160"))[0] == 200


async def test_a_picture_is_shown_from_there(tmp_path: Path, storage: ObjectStorage) -> None:
    """An event's picture is the one that was kept; a browser that has it is told that it still is."""
    at = time.time() - 60  # an older one's files are taken for strays until its row is written
    event = an_event(at, stream="a", ended_at=at + 1)
    with storage.running():
        async with run_stored(tmp_path, storage) as (door, archive):
            await keep(door, event, picture=a_picture(b"an image"))
            await until(lambda: len(storage.objects()) == 2 and not archive.pictures.image(event).exists())
            async with door.ask("GET", f"/api/events/{event.id}/picture", cookie("admin")) as response:
                assert (response.status, await response.read()) == (200, b"an image")
                tag = response.headers["ETag"]
            assert (await got(door, f"/api/events/{event.id}/thumbnail"))[1] == b"thumbnail"
            assert (await got(door, f"/api/events/{event.id}/picture", **{"If-None-Match": tag}))[0] == 304


async def test_what_is_let_go_is_gone_there_too(tmp_path: Path, storage: ObjectStorage) -> None:
    """A span that is removed leaves nothing in object storage."""
    segment = record(folder_of(tmp_path), NOON)
    with storage.running():
        async with run_stored(tmp_path, storage, segment) as (door, _):
            async with door.ask(
                "DELETE", f"/api/streams/a/recordings?from={NOON - 1}&to={NOON + 60}", cookie("admin")
            ) as response:
                assert response.status == 200, await response.text()
            await until(lambda: not storage.objects())
            assert (await got(door, f"/api/streams/a/recordings/{segment.id}.mp4"))[0] == 404


async def test_while_it_is_away_who_asks_is_told_so(tmp_path: Path, storage: ObjectStorage) -> None:
    """503 with a sentence, and the list and what is here are answered as always; the metrics say that it is away."""
    stored, here = record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 60)
    data = (folder_of(tmp_path) / f"a/2025/11/29/{here.id}.mp4").read_bytes()
    path = tmp_path / f"recordings/a/2025/11/29/{here.id}.mp4"
    with storage.running():
        async with run_stored(tmp_path, storage, stored, here):
            pass
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    waiting = record(folder_of(tmp_path), NOON + 900)
    async with run_door(everybody(), archive=kept(tmp_path) | {"storage": storage.settings}) as door:
        archive = archive_of(door)
        keep_recorded(door, tmp_path, waiting)
        status, body = await got(door, f"/api/streams/a/recordings/{stored.id}.mp4")
        assert status == 503
        assert b"the object storage does not answer" in body
        for segment in (here, waiting):
            assert (await got(door, f"/api/streams/a/recordings/{segment.id}.mp4"))[0] == 200
        assert (await got(door, f"/api/streams/a/recordings?from={NOON}&to={NOON + 120}"))[0] == 200
        uploads = archive.uploads
        await until(lambda: uploads is not None and uploads.backlog.segments and uploads.failing)
        told = json.loads((await got(door, "/api/events"))[1])
        assert told["failing"] is None
        assert "object storage" in told["storage_failing"]
        text = (await got(door, "/metrics"))[1].decode()
        assert "sightline_storage_ok 0.0" in text
        assert 'sightline_storage_waiting{what="segment"} 1.0' in text
