"""A camera's second, smaller video over a real service: who has it when, and what becomes of it when it fails."""

import sys
from collections.abc import Iterator

import aiohttp
import pytest

from tests.peers import fake_model_server
from tests.peers.clip import make_clip
from tests.peers.process import free_port, run_process
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Service, run_service
from tests.service.test_video import Seen, Viewer

SECRET = "s3cret-of-sub"


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RtspServer, RtspServer]]:
    """A camera's two addresses, each a server of its own so that one can fail; the second asks for a password."""
    folder = tmp_path_factory.mktemp("clips")
    large = make_clip(folder / "large.mp4", width=320, height=240, seconds=2, gop=30)
    small = make_clip(folder / "small.mp4", width=160, height=120, seconds=2, gop=30)
    with (
        run_rtsp_server({"/large": large}) as first,
        run_rtsp_server({"/small": small}, user="u", password=SECRET) as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
def service(cameras: tuple[RtspServer, RtspServer]) -> Iterator[Service]:
    """A service that detects on the first, and has the second beside it."""
    first, second = cameras
    port = free_port()
    streams = {"cam": {"url": first.url("/large"), "sub": {"url": second.url("/small")}, "sample_fps": 10}}
    with run_process([sys.executable, "-m", fake_model_server.__name__, str(port)]) as model:
        model.wait_for_output("serving")
        with run_service({"serving": {"address": f"127.0.0.1:{port}"}, "streams": streams}) as service:
            yield service


def widths(seen: Seen) -> list[int]:
    """Of what viewers were told follows."""
    return [form["width"] for form in seen.of("form")]


async def test_a_small_picture_is_the_cameras_small_one(
    service: Service, cameras: tuple[RtspServer, RtspServer]
) -> None:
    """With what the model found in the large one; large again at a word, and by itself while the small one is away.

    The password is nowhere in what the service says.
    """
    _, second = cameras
    url = f"{service.url}/api/streams/cam/video"
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{url}?size=small", max_msg_size=0) as way,
    ):
        viewer = Viewer(way)
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        opening = viewer.seen.of("form")[-1]["opening"]
        await viewer.until(
            lambda seen: any(
                each["exact"] and each["opening"] == opening and each["boxes"] for each in seen.of("boxes")
            )
        )
        told = {(each["opening"], each["time"]) for each in viewer.seen.of("boxes")}
        assert any(picture.opening == opening and (opening, picture.time) in told for picture in viewer.seen.pictures)
        assert (await service.stream("cam"))["sub"] == {"state": "live", "reason": None, "viewers": 1}
        await way.send_json({"size": "large"})
        await viewer.until(lambda seen: widths(seen)[-1:] == [320])
        await way.send_json({"size": "small"})
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        second.kill()
        await viewer.until(lambda seen: widths(seen)[-1:] == [320])
        fallen = await service.stream("cam")
        assert fallen["state"] == "live"
        assert fallen["sub"]["state"] == "opening"
        assert fallen["sub"]["reason"]
        second.restart()
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        for path in ("/api/streams", "/api/streams/cam", "/metrics"):
            assert SECRET not in (await service.ask(path)).body.decode()
    assert SECRET not in service.process.output
