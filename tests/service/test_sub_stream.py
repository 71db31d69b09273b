"""A camera's second, smaller video over a real service: who has it when, and what becomes of it when it fails."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.peers import fake_model_server
from tests.peers.clip import make_clip
from tests.peers.process import free_port, run_process
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Answer, Service, run_service, until
from tests.service.test_video import Seen, Viewer

SECRET = "s3cret-of-sub"


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RtspServer, RtspServer]]:
    """A camera's two addresses, each a server of its own so that one can fail; the second asks for a password."""
    folder = tmp_path_factory.mktemp("clips")
    large = make_clip(folder / "large.mp4", width=320, height=240, seconds=2, gop=30)
    small = make_clip(folder / "small.mp4", width=160, height=120, seconds=2, gop=30)
    hevc = make_clip(folder / "hevc.mp4", width=320, height=240, seconds=2, gop=30, codec="libx265")
    with (
        run_rtsp_server({"/large": large, "/hevc": hevc}) as first,
        run_rtsp_server({"/small": small}, user="u", password=SECRET) as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
def service(cameras: tuple[RtspServer, RtspServer]) -> Iterator[Service]:
    """A service that detects on the first, and has the second beside it."""
    first, second = cameras
    port = free_port()
    sub = {"url": second.url("/small")}
    streams = {
        "cam": {"url": first.url("/large"), "sub": sub, "sample_fps": 10},
        "hevc": {"url": first.url("/hevc"), "sub": sub},
    }
    api = {"allowed": True, "networks": ["127.0.0.1/32"]}
    with run_process([sys.executable, "-m", fake_model_server.__name__, str(port)]) as model:
        model.wait_for_output("serving")
        serving = {"address": f"127.0.0.1:{port}"}
        with run_service({"serving": serving, "streams": streams, "api_streams": api}) as service:
            yield service


@asynccontextmanager
async def watch(service: Service, stream: str) -> AsyncIterator[Viewer]:
    """Watch a stream small."""
    url = f"{service.url}/api/streams/{stream}/video?size=small"
    async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as way:
        yield Viewer(way)


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
    async with watch(service, "cam") as viewer:
        way = viewer.way
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

        async def has_fallen() -> bool:
            sub = (await service.stream("cam"))["sub"]
            return sub["state"] == "opening" and bool(sub["reason"])

        await until(has_fallen, lambda: f"nothing is said of the small one:\n{service.process.output}")
        assert (await service.stream("cam"))["state"] == "live"
        second.restart()
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        for path in ("/api/streams", "/api/streams/cam", "/metrics"):
            assert SECRET not in (await service.ask(path)).body.decode()
    assert SECRET not in service.process.output


async def test_a_small_one_that_browsers_play_stands_for_a_large_one_that_they_do_not(service: Service) -> None:
    """Who sees it small is told of nothing else."""
    await service.wait_for_state("hevc", "live")
    async with watch(service, "hevc") as viewer:
        await viewer.until(lambda seen: seen.pictures)
        assert [(form["offered"], form["size"]) for form in viewer.seen.of("form")] == [(True, "small")]


async def test_it_comes_and_goes_while_somebody_watches(
    service: Service, cameras: tuple[RtspServer, RtspServer]
) -> None:
    """As the API says; the stream itself is not connected anew."""
    first, second = cameras

    async def ask(method: str, path: str, **said: object) -> Answer:
        return await service.ask(path, method=method, body=json.dumps(said), content_type="application/json")

    sub = {"url": second.url("/small")}
    added = await ask("POST", "/api/streams", name="yard", url=first.url("/large"), sub=sub)
    assert (added.status, SECRET in added.body.decode()) == (201, False)
    assert "***" in added.json()["settings"]["sub"]["url"]
    await service.wait_for_state("yard", "live")
    async with watch(service, "yard") as viewer:
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        assert (await ask("PATCH", "/api/streams/yard", sub=None)).json()["sub"] is None
        await viewer.until(lambda seen: widths(seen)[-1:] == [320])
        assert (await ask("PATCH", "/api/streams/yard", sub=sub)).status == 200
        await viewer.until(lambda seen: widths(seen)[-1:] == [160])
        large = {form["opening"] for form in viewer.seen.of("form") if form["width"] == 320}
        assert len(large) == 1
        forbidden = await ask("PATCH", "/api/streams/yard", sub={"url": "rtsp://127.0.0.2/x"})
        assert forbidden.status == 403
        assert forbidden.problem().startswith("sub.url: ")
    assert (await service.ask("/api/streams/yard", method="DELETE")).status == 204
