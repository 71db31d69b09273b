"""The service as a process: what it loads, what it does without its model server, and how it ends."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml

from tests.peers.index_detector import number_of
from tests.peers.model_server import ModelServer
from tests.peers.process import free_port
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Service, run_service, serve_command
from tests.peers.whep_viewer import watch_whep

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def camera(numbered_clip: Path) -> Iterator[RtspServer]:
    """Run a camera."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        yield camera


@pytest.fixture
def service(model_server: ModelServer, camera: RtspServer) -> Iterator[Service]:
    """Run the service with one stream."""
    config = {
        "serving": model_server.settings,
        "streams": {"road": {"url": camera.url("/road")}},
    }
    with run_service(config) as service:
        yield service


def test_a_busy_port_is_refused(tmp_path: Path) -> None:
    """A port that somebody listens on ends the start with code 2 and one line that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "sightline.yaml"
        config.write_text(yaml.safe_dump({"server": {"port": port}}))
        done = subprocess.run(serve_command(config), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"sightline: server: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_who_finds_the_port_taken_touches_nothing(tmp_path: Path) -> None:
    """A service that cannot have its port has opened no archive: it is another's, which runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = tmp_path / "sightline.yaml"
        config.write_text(yaml.safe_dump({"server": {"port": taken.getsockname()[1]}, "archive": {"path": "kept"}}))
        done = subprocess.run(serve_command(config), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert not list((tmp_path / "kept").glob("*.db*"))


def test_a_wrong_configuration_is_refused(tmp_path: Path) -> None:
    """An unknown key ends the start with code 2 and one line that says what is allowed."""
    config = tmp_path / "sightline.yaml"
    config.write_text("streams: {road: {url: rtsp://127.0.0.1/road, fps: 5}}")
    done = subprocess.run(serve_command(config), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(
        f"sightline: {config}: streams.road.fps: unknown key; allowed here are url, listen, transport"
    )


def test_a_certificate_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A file of `serving.tls` that cannot be used ends the start with code 2 and one line that names it."""
    config = tmp_path / "sightline.yaml"
    config.write_text("serving: {tls: {ca: none.pem}}")
    done = subprocess.run(serve_command(config), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "sightline: serving.tls.ca: none.pem cannot be read: No such file or directory\n"


async def test_tensorflow_is_never_loaded(service: Service) -> None:
    """The service predicts without a byte of TensorFlow in its memory."""
    async with service.events("road") as feed:
        await feed.more(3)
    mapped = await asyncio.to_thread(Path(f"/proc/{service.process.pid}/maps").read_text)
    assert "grpc" in mapped
    assert "tensorflow" not in mapped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_viewers_connected(service: Service, number: signal.Signals) -> None:
    """SIGTERM or Ctrl-C ends the service with code 0, its viewers let go and nothing left of it."""
    async with AsyncExitStack() as watching:
        feed = await watching.enter_async_context(service.events())
        mjpeg = await watching.enter_async_context(service.open("/streams/road.mjpeg"))
        viewer = await watching.enter_async_context(watch_whep(service, "road"))
        await feed.more(1)
        await viewer.more(1)
        assert await mjpeg.content.read(1)
        service.process.signal(number)
        # The peers live in this event loop, and it must turn for them to see the end.
        code = await asyncio.to_thread(service.process.wait)
        await viewer.ended.wait()
    assert code == 0, service.process.output
    assert "Traceback" not in service.process.output
    assert "never retrieved" not in service.process.output
    with pytest.raises(ProcessLookupError):
        os.killpg(service.process.pid, 0)


async def test_an_absent_model_server_is_waited_for(index_model: Path, camera: RtspServer) -> None:
    """Without a model server the service shows the video and says what is missing; it takes one up when it comes."""
    server = ModelServer(index_model, "numbers", free_port())
    config = {
        "serving": server.settings,
        "streams": {"road": {"url": camera.url("/road")}},
    }
    try:
        with run_service(config) as service:
            reason = f"no detections yet: the model server at {server.address} cannot be reached"
            assert (await service.wait_for_reason("road", reason))["state"] == "stale"
            assert (await service.ask("/healthz")).status == 200
            assert (await service.ask("/readyz")).status == 503
            assert (await service.ask("/api/streams/road/frame.jpg")).status == 200
            async with watch_whep(service, "road") as viewer, service.events("road") as feed:
                await viewer.more(10)
                assert not feed.arrived
                server.start()
                events = [event for _, event in await feed.more(2)]
            assert number_of(events[0]) != number_of(events[1])
            await service.wait_for_state("road", "live")
            assert (await service.ask("/readyz")).status == 200
    finally:
        server.stop()
