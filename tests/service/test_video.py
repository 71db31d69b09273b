"""The clean video over a real service: a camera's own pictures, and what is in them, as they reach a viewer."""

import asyncio
import json
import re
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.peers import fake_model_server
from tests.peers.clip import make_clip
from tests.peers.process import free_port, run_process
from tests.peers.rtsp_server import RtspServer, run_rtsp_server, write_access_units
from tests.peers.service import PATIENCE_S, Service, run_service

EXAMPLE = Path(__file__).parents[2] / "docs/examples/watch.py"
HEAD = struct.Struct("<BBHIdd")
DELIMITER = b"\x09"
"""What the first unit of a picture begins with (H.264 clause 7.3.2.4)."""


@dataclass(frozen=True)
class Picture:
    """One as it came."""

    is_key: bool
    opening: int
    time: float
    received: float
    data: bytes


@dataclass
class Seen:
    """What a viewer was sent, in order."""

    told: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [each for each in self.told if each["type"] == kind]


class Viewer:
    """Somebody who watches."""

    def __init__(self, way: aiohttp.ClientWebSocketResponse) -> None:
        self.way = way
        self.seen = Seen()

    async def until(self, condition: Any) -> Seen:
        """Take what comes until that is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self.seen):
                message = await self.way.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.seen.told.append(json.loads(message.data))
                else:
                    assert message.type is aiohttp.WSMsgType.BINARY, message
                    kind, flags, nothing, opening, time, received = HEAD.unpack_from(message.data)
                    assert (kind, flags & ~1, nothing) == (1, 0, 0)
                    self.seen.pictures.append(Picture(bool(flags), opening, time, received, message.data[HEAD.size :]))
        return self.seen


def parts(data: bytes) -> list[bytes]:
    """The units of a picture from its delimiter on, each to the byte; RTP does not carry what stands between them.

    In front of the delimiter are parameter sets, which the camera says again beside its video.
    """
    units = re.split(rb"\x00?\x00\x00\x01", data)
    return units[[unit[:1] for unit in units].index(DELIMITER) :]


@asynccontextmanager
async def watch(service: Service, stream: str = "cam") -> AsyncIterator[Viewer]:
    """Watch a stream."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{service.url}/api/streams/{stream}/video", max_msg_size=0) as way,
    ):
        yield Viewer(way)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with a key picture each."""
    return make_clip(tmp_path_factory.mktemp("clip") / "cam.mp4", seconds=2, gop=30)


@pytest.fixture(scope="module")
def camera(clip: Path) -> Iterator[RtspServer]:
    """A camera that sends it over and over."""
    with run_rtsp_server({"/cam": clip}) as server:
        yield server


@pytest.fixture(scope="module")
def service(camera: RtspServer) -> Iterator[Service]:
    """A service that watches it, and asks a model ten times a second."""
    port = free_port()
    streams = {"cam": {"url": camera.url("/cam"), "sample_fps": 10}}
    with run_process([sys.executable, "-m", fake_model_server.__name__, str(port)]) as model:
        model.wait_for_output("serving")
        with run_service({"serving": {"address": f"127.0.0.1:{port}"}, "streams": streams}) as service:
            yield service


@pytest.fixture(scope="module")
def sent(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[bytes]]:
    """The units of each picture that the camera sends."""
    index = json.loads(write_access_units([clip], tmp_path_factory.mktemp("units") / "clip.json").read_text())
    data = Path(index["file"]).read_bytes()
    return [parts(data[offset : offset + size]) for offset, size, *_ in index["units"]]


async def test_a_viewer_has_the_cameras_own_pictures_and_what_is_in_them(
    service: Service, sent: list[list[bytes]]
) -> None:
    """Each picture is the camera's, unit by unit; the first is there at once; answers are of frames that were shown."""
    await service.wait_for_state("cam", "live")
    async with watch(service) as viewer:
        seen = await viewer.until(lambda seen: len(seen.pictures) > 75 and len(seen.of("boxes")) > 75)
        hello, form, group = seen.told[:3]
        assert (hello["type"], hello["version"], hello["stream"], hello["state"]) == ("hello", 1, "cam", "live")
        assert form["type"] == "form"
        assert form["offered"]
        assert form["codec"].startswith("avc1.")
        assert (form["width"], form["height"]) == (320, 240)
        assert group["type"] == "group"
        assert seen.pictures[0].is_key
        assert seen.pictures[0].received < hello["now"]
        first = sent.index(parts(seen.pictures[0].data))
        assert [parts(picture.data) for picture in seen.pictures] == [
            sent[(first + number) % len(sent)] for number in range(len(seen.pictures))
        ]
        times = {(picture.opening, picture.time) for picture in seen.pictures}
        exact = [each for each in seen.of("boxes") if each["exact"]]
        newest = max(time for _, time in times)
        answered = [(each["opening"], each["time"]) for each in exact if each["time"] <= newest]
        begun = min(time for _, time in times)
        assert len(answered) > 5
        assert {each for each in answered if each[1] >= begun} <= times
        assert {box[1] for each in exact for box in each["boxes"]} == {"insulator", "defect"}


async def test_events_are_of_the_same_frames(service: Service) -> None:
    """What is told as server-sent events has the time and the opening of the picture that it is of."""
    await service.wait_for_state("cam", "live")
    async with watch(service) as viewer, service.events() as feed:
        came = [event for _, event in await feed.more(10)]
        newest = max(event["frame_time"] for event in came)
        seen = await viewer.until(lambda seen: seen.pictures and seen.pictures[-1].time >= newest)
        # The first may be of a frame before the key picture with which the viewer began.
        told = [event for event in came if event["frame_time"] >= seen.pictures[0].time]
        assert told
        shown = {(picture.opening, picture.time) for picture in seen.pictures}
        assert {(event["opening"], event["frame_time"]) for event in told} <= shown


async def test_a_viewer_goes_on_when_the_camera_comes_back(service: Service, camera: RtspServer) -> None:
    """The new opening begins with its form and a key picture, in the same connection."""
    await service.wait_for_state("cam", "live")
    async with watch(service) as viewer:
        before = (await viewer.until(lambda seen: seen.pictures)).pictures[-1].opening
        camera.restart()
        seen = await viewer.until(lambda seen: seen.pictures[-1].opening > before)
        assert seen.pictures[-1].is_key
        assert seen.of("form")[-1]["opening"] == seen.pictures[-1].opening


def test_the_example_prints_pictures_and_what_is_in_them(service: Service) -> None:
    """docs/examples/watch.py, as anybody would run it."""
    with run_process([sys.executable, EXAMPLE, service.url, "cam"]) as reader:
        for words in ("hello: ", "form: ", ": key picture of ", " found", "    insulator #"):
            reader.wait_for_output(words, timeout=PATIENCE_S)
