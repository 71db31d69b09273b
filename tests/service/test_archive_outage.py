"""What cannot be kept holds up nothing that is live, and nothing that was told of is lost."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.postgresql import make_postgresql
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, write_config
from tests.peers.service import until as eventually
from tests.peers.until import until

pytestmark = pytest.mark.timeout(300)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
FRAMES = 120
"""Of the camera, over which what comes of them is counted."""
ALL = (5 / 30, 1.0)
"""Of thirty frames a second five are asked about, and each is shown."""
ATTEMPTS = 5
"""Such counts: another program may take the processors for a moment, where an outage would be in each of them."""
SHARE = 0.9
"""Of what came of as many frames before: what must come of them during an outage. sightline bench has exact figures."""


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """A model that sees the same things in every frame."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def mount(*arguments: str) -> None:
    """Have the system do so."""
    subprocess.run(["mount", *arguments], capture_output=True, check=True)


class Site:
    """A service with a camera, its archive, a viewer, and somebody who is told of events."""

    def __init__(self, service: Service, config: dict[str, Any]) -> None:
        self.service, self.config = service, config
        self.pictures = 0
        """The viewer has got."""
        self.announced: set[str] = set()
        self._zones = 0

    async def view(self) -> None:
        """Watch by MJPEG until cancelled."""
        async with self.service.open("/streams/road.mjpeg") as response:
            async for chunk in response.content.iter_any():
                self.pictures += chunk.count(b"--frame\r\n")

    async def listen(self) -> None:
        """Be told of events until cancelled, coming back where the connection ends."""
        last = "0"
        while True:
            with suppress(aiohttp.ClientError, ValueError):
                async with (
                    aiohttp.ClientSession() as client,
                    client.get(f"{self.service.url}/api/events/stream", headers={"Last-Event-ID": last}) as response,
                ):
                    async for line in response.content:
                        name, _, value = line.decode().rstrip("\n").partition(": ")
                        if name == "id":
                            last = value
                        elif name == "data":
                            self.announced.add(json.loads(value)["id"])
            await asyncio.sleep(0.1)

    async def counted(self, name: str, **labels: str) -> float:
        """One of the service's numbers."""
        return (await self.service.metrics()).sum(name, **labels)

    async def reaches(self, condition: Callable[[float], bool], name: str, **labels: str) -> None:
        """Wait until one is so."""

        async def is_so() -> bool:
            return condition(await self.counted(name, **labels))

        await eventually(is_so, lambda: f"{name} is not so:\n{self.service.process.output}")

    async def begin_events(self) -> None:
        """Have what goes on end and begin anew: with other zones, which the service reads from its file."""
        before = await self.counted("sightline_events_total", what="begun")
        self._zones += 1
        square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
        self.config["streams"]["road"]["zones"] = {f"all-{self._zones}": {"points": square}}
        write_config(self.service.path, self.config)
        await self.reaches(lambda begun: begun > before, "sightline_events_total", what="begun")

    async def shares(self) -> tuple[float, float]:
        """Answers, and pictures of the viewer, for each frame of the camera, over FRAMES of them."""

        async def read() -> tuple[float, float, int]:
            metrics = await self.service.metrics()
            source, answered = (metrics.sum("sightline_frames_total", stage=each) for each in ("source", "predictor"))
            return source, answered, self.pictures

        first = last = await read()
        while last[0] - first[0] < FRAMES:
            await asyncio.sleep(0.1)
            last = await read()
        frames = last[0] - first[0]
        return (last[1] - first[1]) / frames, (last[2] - first[2]) / frames

    async def goes_on_like(self, others: tuple[float, float]) -> None:
        """Hold that answers and pictures come as they did over other frames."""
        shares = [await self.shares()]
        while not all(now >= SHARE * then for now, then in zip(shares[-1], others, strict=True)):
            assert len(shares) < ATTEMPTS, (shares, others)
            shares.append(await self.shares())

    async def nothing_is_lost(self) -> None:
        """Wait until all is kept, and find every event that began, and every one that was told of."""
        await self.begin_events()
        await self.reaches(lambda ok: ok == 1, "sightline_archive_ok")
        await eventually(self._all_is_kept_and_told, lambda: f"of {self.announced}:\n{self.service.process.output}")
        assert await self.counted("sightline_archive_lost_total", what="event") == 0

    async def _all_is_kept_and_told(self) -> bool:
        begun = await self.counted("sightline_events_total", what="begun")
        page = (await self.service.ask("/api/events?limit=1000")).json()
        found = {event["id"] for event in page.get("events", [])}
        return len(found) == begun and self.announced == found  # or one has begun between the questions


@asynccontextmanager
async def run_site(camera: str, server: FakeModelServer, folder: Path, archive: dict[str, str]) -> AsyncIterator[Site]:
    """Run one, and its viewer."""
    config: dict[str, Any] = {
        "serving": {"address": server.address, "model": CONTRACT.name},
        "streams": {"road": {"url": camera, "min_score": 0.5}},
        "archive": archive,
    }
    with run_service(config, folder=folder) as service:
        site = Site(service, config)
        tasks = [asyncio.create_task(site.view()), asyncio.create_task(site.listen())]
        try:
            await service.wait_for_state("road", "live")
            await until(lambda: site.pictures)
            yield site
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Have no room there for as long as the block lasts."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


async def test_a_full_disk_stops_nothing_that_is_live(
    server: FakeModelServer, disk: Path, tmp_path: Path, numbered_clip: Path
) -> None:
    """Results and a viewer's pictures go on as before, and every event is there once there is room."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        async with run_site(camera.url("/road"), server, tmp_path, {"path": str(disk)}) as site:
            await until(lambda: site.announced)
            before = await site.shares()
            with filled(disk):
                await site.begin_events()
                await site.reaches(lambda ok: ok == 0, "sightline_archive_ok")
                await site.goes_on_like(before)
                assert await site.counted("sightline_archive_ok") == 0
                assert "full" in (await site.service.ask("/api/events")).json()["failing"]
            await site.nothing_is_lost()
            assert "full" in site.service.process.output
            assert (await site.service.ask("/api/events")).json()["failing"] is None


async def test_a_disk_that_is_read_only_stops_nothing_that_is_live(
    server: FakeModelServer, disk: Path, tmp_path: Path, numbered_clip: Path
) -> None:
    """A service whose archive cannot be opened starts, shows, and keeps what it saw meanwhile once it can."""
    mount("-o", "remount,ro", str(disk))
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        async with run_site(camera.url("/road"), server, tmp_path, {"path": str(disk)}) as site:
            assert await site.counted("sightline_archive_ok") == 0
            await site.reaches(lambda begun: begun > 0, "sightline_events_total", what="begun")
            await site.goes_on_like(ALL)
            assert (await site.service.ask("/api/events")).status == 503
            mount("-o", "remount,rw", str(disk))
            await site.reaches(lambda ok: ok == 1, "sightline_archive_ok")
            await site.nothing_is_lost()


async def test_a_database_server_that_stops_stops_nothing_that_is_live(
    server: FakeModelServer, tmp_path: Path, numbered_clip: Path
) -> None:
    """Results and pictures go on while PostgreSQL is down, and every event is there once it is back."""
    with (
        ThreadPoolExecutor(1) as starter,
        make_postgresql() as database,
        run_rtsp_server({"/road": numbered_clip}) as camera,
    ):
        loop = asyncio.get_running_loop()
        running = database.running()
        await loop.run_in_executor(starter, running.__enter__)
        archive = {"path": "kept", "database": database.make_database()}
        async with run_site(camera.url("/road"), server, tmp_path, archive) as site:
            await until(lambda: site.announced)
            before = await site.shares()
            await loop.run_in_executor(starter, running.__exit__, None, None, None)
            await site.begin_events()
            await site.reaches(lambda ok: ok == 0, "sightline_archive_ok")
            await site.goes_on_like(before)
            assert (await site.service.ask("/api/events")).status == 503
            running = database.running()
            await loop.run_in_executor(starter, running.__enter__)
            await site.nothing_is_lost()
        await loop.run_in_executor(starter, running.__exit__, None, None, None)
