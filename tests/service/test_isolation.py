"""Streams do not know each other: what happens to one camera is that camera's alone.

One service runs them all. `steady` is never touched, and every test that hurts another camera watches it meanwhile.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from tests.peers.index_detector import number_of
from tests.peers.model_server import ModelServer
from tests.peers.process import Process, free_port
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Service, run_service
from tests.peers.service import until as eventually
from tests.peers.until import until

pytestmark = pytest.mark.timeout(300)

SAMPLE_FPS = 2.5
OUTAGE = 15
"""Results of a camera that is not touched while another is away."""
WRONG, RIGHT = "canary-w4o/g", "canary-R1ght@"
"""Passwords with what must be quoted in a URL."""


@dataclass
class Site:
    """The service and its cameras."""

    service: Service
    steady: RtspServer
    killed: RtspServer
    frozen: RtspServer
    push_url: str
    starter: ThreadPoolExecutor
    """Starts processes while the event loop reads on; they end with the thread that started them (prctl(2))."""


@pytest.fixture(scope="module")
def site(model_server: ModelServer, numbered_clip: Path) -> Iterator[Site]:
    """Run every camera in a process of its own, and one service."""
    with ExitStack() as running:
        starter = running.enter_context(ThreadPoolExecutor(1))

        def camera(**settings: Any) -> RtspServer:
            return running.enter_context(run_rtsp_server({"/road": numbered_clip}, **settings))

        steady, killed, frozen, locked = camera(), camera(), camera(), camera(user="watch", password=RIGHT)
        push_url = f"rtsp://127.0.0.1:{free_port()}/drone"
        streams: dict[str, dict[str, Any]] = {
            "steady": {"url": steady.url("/road")},
            "killed": {"url": killed.url("/road")},
            "frozen": {"url": frozen.url("/road")},
            "nowhere": {"url": steady.url("/nowhere")},
            "wrong": {"url": f"rtsp://watch:canary-w4o%2Fg@127.0.0.1:{locked.port}/road"},
            "right": {"url": f"rtsp://watch:${{RIGHT_PASSWORD}}@127.0.0.1:{locked.port}/road"},
            "pushed": {"url": push_url, "listen": True},
        }
        config = {
            "serving": model_server.settings,
            "streams": {name: {**stream, "sample_fps": SAMPLE_FPS} for name, stream in streams.items()},
        }
        service = running.enter_context(run_service(config, {"RIGHT_PASSWORD": "canary-R1ght%40"}))
        yield Site(service, steady, killed, frozen, push_url, starter)


async def have_failed(service: Service, stream: str, reason: str, times: int) -> None:
    """Wait until the stream's connections have ended so often for that reason."""

    async def failed() -> bool:
        metrics = await service.metrics()
        return metrics.sum("sightline_source_reconnects_total", stream=stream, reason=reason) >= times

    await eventually(failed, lambda: f"{stream} has not ended by {reason}:\n{service.process.output}")


async def assert_untouched(service: Service) -> None:
    """Check that the camera nobody touched is there, and was never away."""
    await service.wait_for_state("steady", "live")
    assert (await service.metrics()).sum("sightline_source_reconnects_total", stream="steady") == 0


async def test_a_killed_camera_leaves_the_others_alone(site: Site) -> None:
    """A camera that dies is offline and says why; its neighbour's results never stop; it is back when the camera is."""
    async with site.service.events() as feed:
        await feed.more(2, stream="steady")
        await feed.more(2, stream="killed")
        site.killed.kill()
        offline = await site.service.wait_for_state("killed", "offline")
        assert offline["reason"].startswith("the camera")
        assert offline["age_ms"] is None
        steady = [event for _, event in await feed.more(OUTAGE, stream="steady")]
        last = feed.of("killed")[-1][1]
        offline = await site.service.stream("killed")
        assert (offline["state"], offline["reason"]) == ("offline", "the camera's host refuses the connection")
        assert offline["error"] == "refused"  # as in the metric
        await have_failed(site.service, "killed", "refused", 3)

        await asyncio.get_running_loop().run_in_executor(site.starter, site.killed.restart)
        [(_, back)] = await feed.more(1, stream="killed")
        await site.service.wait_for_state("killed", "live")
        # The stream's time went on while the camera was away.
        assert back["pts"] - last["pts"] > steady[-1]["pts"] - steady[0]["pts"]
    await assert_untouched(site.service)


async def test_a_frozen_camera_is_stale_then_offline(site: Site) -> None:
    """A camera that holds its connection and sends nothing is stale, then offline; it is back when it sends again."""
    async with site.service.events() as feed:
        await feed.more(2, stream="frozen")
        site.frozen.freeze()
        stale = await site.service.wait_for_state("frozen", "stale", "offline")
        assert stale["state"] == "stale"
        assert stale["reason"].startswith("no picture from the camera for ")
        offline = await site.service.wait_for_state("frozen", "offline")
        assert (offline["error"], "stalled" in offline["reason"]) == ("stalled", True)
        await feed.more(OUTAGE, stream="steady")

        silent = len(feed.of("frozen"))
        site.frozen.unfreeze()
        await feed.more(1, stream="frozen")
        await site.service.wait_for_state("frozen", "live")
        assert len(feed.of("frozen")) > silent
    await have_failed(site.service, "frozen", "stalled", 1)
    await assert_untouched(site.service)


async def test_a_refused_password_is_said_and_kept(site: Site) -> None:
    """A wrong password is named as the reason; no password, wrong or right, is in the API, the metrics or the log."""
    refused = await site.service.wait_for_state("wrong", "offline")
    assert refused["reason"] == "the camera refuses the user name or password"
    assert refused["error"] == "authentication"
    await site.service.wait_for_output(f"wrong: authentication: {refused['reason']}")
    await have_failed(site.service, "wrong", "authentication", 1)
    await site.service.wait_for_state("right", "live")
    paths = ("/api/streams", "/api/streams/wrong", "/api/streams/right/events", "/metrics", "/readyz", "/")
    said = [site.service.process.output]
    for path in paths:
        async with site.service.open(path) as response:
            said.append(str(response.headers) + (await response.content.read(1 << 16)).decode())
    for secret in (WRONG, RIGHT, "canary"):
        assert not [text for text in said if secret in text]


async def test_a_path_the_camera_does_not_have_is_said(site: Site) -> None:
    """A camera without a stream at the path is offline with that reason, and the same camera's other path is not."""
    missing = await site.service.wait_for_state("nowhere", "offline")
    assert missing["reason"] == "the camera has no stream at this path"
    await have_failed(site.service, "nowhere", "not_found", 1)
    steady = await site.service.wait_for_state("steady", "live")
    assert (steady["reason"], steady["error"]) == (None, None)


async def test_a_camera_that_pushes_may_die_and_return(site: Site, numbered_clip: Path) -> None:
    """A stream that listens waits for its camera, takes what it pushes, and takes it again after the camera died."""

    def push() -> Process:
        return Process([sys.executable, "-m", "streamer", "camera", numbered_clip, site.push_url])

    waiting = await site.service.wait_for_state("pushed", "connecting")
    assert waiting["reason"] == f"waiting for a camera to push to {site.push_url}"
    cameras = [push()]
    try:
        async with site.service.events() as feed:
            events = [event for _, event in await feed.more(4, stream="pushed")]
            assert (await site.service.wait_for_state("pushed", "live"))["width"] == 320
            assert len({number_of(event) for event in events}) > 1

            cameras[0].kill()
            offline = await site.service.wait_for_state("pushed", "offline", "connecting")
            assert offline["reason"]
            cameras.append(push())
            await feed.more(1, stream="pushed")
            await site.service.wait_for_state("pushed", "live")
            await feed.more(1, stream="steady")
    finally:
        for camera in cameras:
            camera.stop()


async def test_a_pushing_camera_that_falls_silent_frees_its_place(site: Site, numbered_clip: Path) -> None:
    """A camera that freezes with its connection open is given up, and another one gets the port meanwhile."""
    command: list[str | Path] = [sys.executable, "-m", "streamer", "camera", numbered_clip, site.push_url]
    cameras = [Process(command)]
    try:
        await site.service.wait_for_state("pushed", "live")
        cameras[0].signal(signal.SIGSTOP)
        offline = await site.service.wait_for_state("pushed", "offline")
        assert "stalled" in offline["reason"]
        cameras.append(Process(command))
        await site.service.wait_for_state("pushed", "live")
    finally:
        for camera in cameras:
            camera.kill()
            camera.stop()


async def test_a_silent_client_does_not_hold_the_port(site: Site, numbered_clip: Path) -> None:
    """Somebody who connects to a listening port and says nothing keeps a camera out for some seconds at most."""
    await site.service.wait_for_state("pushed", "offline", "connecting")
    address = URL(site.push_url)
    with socket.socket() as silent:
        await until(lambda: silent.connect_ex((address.host, address.port)) == 0)
        camera = Process([sys.executable, "-m", "streamer", "camera", numbered_clip, site.push_url])
        try:
            await site.service.wait_for_state("pushed", "live")
        finally:
            camera.stop()


async def test_every_stream_keeps_to_itself(site: Site) -> None:
    """Results carry the frames of the stream they name: in each the numbers run as its own time does."""
    async with site.service.events() as feed:
        for name in ("steady", "killed", "frozen", "right"):
            await feed.more(4, stream=name)
    for name in ("steady", "killed", "frozen", "right"):
        for (_, before), (_, after) in pairwise(feed.of(name)):
            frames = round((after["pts"] - before["pts"]) * 30)
            assert (number_of(after) - number_of(before)) % 60 == frames % 60
