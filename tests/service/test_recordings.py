"""Recordings as a client meets them: a real camera, a model that sees things, files, index and boxes, a full disk."""

import os
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, until

pytestmark = pytest.mark.timeout(200)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
RECORDINGS = "/api/streams/road/recordings"


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """A model that sees three things in every frame, of which one scores enough for an event."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


@contextmanager
def recording(server: FakeModelServer, clip: Path, folder: Path, record: dict[str, Any]) -> Iterator[Service]:
    """A service with one camera that is recorded so, its archive in this folder."""
    with run_rtsp_server({"/road": clip}) as camera:
        stream = {"url": camera.url("/road"), "min_score": 0.5, "record": record}
        config = {
            "serving": {"address": server.address, "model": CONTRACT.name},
            "streams": {"road": stream},
            "archive": {"path": str(folder)},
        }
        with run_service(config) as service:
            yield service


async def state_of(service: Service) -> str:
    """What becomes of the video."""
    (stream,) = (await service.ask("/api/streams")).json()
    return str(stream["recording"]["state"])


async def segments_of(service: Service) -> list[dict[str, Any]]:
    """As they are listed, of the last hour."""
    now = round(time.time())
    answer = await service.ask(f"{RECORDINGS}?from={now - 3600}&to={now + 60}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["segments"]
    return found


def rows(folder: Path) -> list[tuple[str, int | None, int]]:
    """Id, end and pictures of each segment in the database."""
    with sqlite3.connect(folder / "sightline.db") as connection:
        found = connection.execute("SELECT id, ended_ms, pictures FROM segment ORDER BY id").fetchall()
    connection.close()
    return found


def times_in(path: Path) -> list[int]:
    """When each picture of a file is shown, in microseconds."""
    with av.open(str(path), "r") as file:
        return sorted(packet.pts for packet in file.demux(video=0) if packet.pts is not None)


async def test_an_event_is_recorded_with_the_boxes_of_its_pictures(
    server: FakeModelServer, numbered_clip: Path, tmp_path: Path
) -> None:
    """What is seen becomes an event, the video around it a file, and in it each sample is at a picture's own time."""
    folder = tmp_path / "kept"
    with recording(server, numbered_clip, folder, {"mode": "events", "before": 1, "after": 1}) as service:

        async def is_boxed() -> bool:
            for segment in await segments_of(service):
                boxes = (await service.ask(f"{RECORDINGS}/{segment['id']}/boxes")).json()
                return len(boxes["times_us"]) > 5
            return False

        await until(is_boxed, lambda: f"no boxes:\n{service.process.output}")
        assert await state_of(service) == "recording"
        (segment,) = await segments_of(service)
        assert segment["has_event"]
        boxes = (await service.ask(f"{RECORDINGS}/{segment['id']}/boxes")).json()
        service.process.stop()
    ((id_, ended, pictures),) = rows(folder)
    assert (id_, ended is not None) == (segment["id"], True)
    (file,) = folder.rglob("*.mp4")
    times = times_in(file)
    assert len(times) == pictures
    assert set(boxes["times_us"]) <= set(times)
    assert sum(boxes["counts"]) > 5


async def test_what_a_service_that_stops_took_is_all_in_files(
    server: FakeModelServer, numbered_clip: Path, tmp_path: Path
) -> None:
    """Stopped in good order, each file is ended, in the index, and as long as that says."""
    folder = tmp_path / "kept"
    with recording(server, numbered_clip, folder, {"mode": "continuous"}) as service:

        async def is_listed() -> bool:
            return bool(await segments_of(service))

        await until(is_listed, lambda: f"nothing is recorded:\n{service.process.output}")
        service.process.stop()
    found = rows(folder)
    files = {path.stem: path for path in folder.rglob("*.mp4")}
    assert [id_ for id_, _, _ in found] == sorted(files)
    for id_, ended, pictures in found:
        assert ended is not None
        assert len(times_in(files[id_])) == pictures


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of some megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_is_a_state_and_no_outage(server: FakeModelServer, numbered_clip: Path, disk: Path) -> None:
    """While there is no room the stream is live and says why nothing is recorded; with room again it is."""
    with recording(server, numbered_clip, disk / "kept", {"mode": "continuous"}) as service:

        async def records() -> bool:
            return await state_of(service) == "recording"

        async def is_full() -> bool:
            return await state_of(service) == "full"

        await until(records, lambda: f"nothing is recorded:\n{service.process.output}")
        filler = disk / "filler"
        with filler.open("wb") as file:
            free = os.statvfs(disk)
            file.write(bytes(free.f_bavail * free.f_frsize - 100_000))
        await until(is_full, lambda: f"it goes on:\n{service.process.output}")
        (stream,) = (await service.ask("/api/streams")).json()
        assert "is full" in stream["recording"]["reason"]
        assert stream["fps"] > 0
        filler.unlink()
        await until(records, lambda: f"it does not go on:\n{service.process.output}")
        service.process.stop()
    for _, ended, _ in rows(disk / "kept"):
        assert ended is not None
    for path in (disk / "kept").rglob("*.mp4"):
        assert times_in(path)
