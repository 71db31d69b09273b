"""Cameras that say nothing, added and removed through the API of a service that runs: nothing of them stays."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.peers.connections import established
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_camera import Heard, run_rtsp_camera
from tests.peers.service import Service, run_service, until

pytestmark = pytest.mark.timeout(300)

COUNT = 15
REACHED = 8
"""Of these, how many have to be connected before they are removed: more than are opened at once."""
MOST_MEGABYTES = 32


@contextmanager
def run_deaf() -> Iterator[int]:
    """A port that takes every connection and says nothing, not even that it speaks TLS; gives its number."""
    with socket.create_server(("127.0.0.1", 0), backlog=COUNT) as listening:
        yield listening.getsockname()[1]


def drop_by_drop(request: Heard) -> Iterator[bytes]:
    """An answer a byte a second."""
    pause = threading.Event()
    for byte in request.answer("X-Endless: " + "a" * 10_000):
        pause.wait(1.0)
        yield bytes((byte,))


@pytest.fixture(scope="module")
def service(model_server: ModelServer) -> Iterator[Service]:
    """Run a service without a stream of its own, which takes as many as there are cameras here."""
    allowed = {"allowed": True, "networks": ["127.0.0.1/32"], "max_streams": COUNT, "schemes": ["rtsp", "rtsps"]}
    with run_service({"serving": model_server.settings, "api_streams": allowed, "streams": {}}) as service:
        yield service


def taken(service: Service) -> tuple[int, int, float]:
    """Threads, sockets and megabytes of its process."""
    process = Path(f"/proc/{service.process.pid}")
    sockets = 0
    for descriptor in (process / "fd").iterdir():
        try:
            sockets += str(descriptor.readlink()).startswith("socket:")
        except FileNotFoundError:
            continue
    resident = (process / "status").read_text().partition("VmRSS:")[2].split()[0]
    return len(list((process / "task").iterdir())), sockets, int(resident) / 1024


async def add(service: Service, url: str) -> None:
    """As many streams of one camera as there may be."""
    for number in range(COUNT):
        document = {"name": f"silent-{number}", "url": f"{url}/{number}"}
        body, json_type = json.dumps(document), "application/json"
        answer = await service.ask("/api/streams", method="POST", body=body, content_type=json_type)
        assert answer.status == 201, answer


async def remove(service: Service) -> None:
    """All of them."""
    for number in range(COUNT):
        answer = await service.ask(f"/api/streams/silent-{number}", method="DELETE")
        assert answer.status == 204, answer


@pytest.mark.parametrize("kind", ["deaf", "without TLS", "drop by drop", "plays nothing"])
async def test_a_removed_camera_leaves_nothing(service: Service, kind: str) -> None:
    """Whatever is waited for, removing a stream ends it: threads, sockets and memory are as they were before."""
    with ExitStack() as peers:
        if kind in ("deaf", "without TLS"):
            port = peers.enter_context(run_deaf())
        else:
            answers = {"OPTIONS": drop_by_drop} if kind == "drop by drop" else {}
            port = peers.enter_context(run_rtsp_camera(answers, play=lambda: iter(()))).port
        threads, sockets, megabytes = taken(service)
        await add(service, f"{'rtsps' if kind == 'without TLS' else 'rtsp'}://127.0.0.1:{port}")

        async def reached() -> bool:
            return len(established(port)) >= REACHED

        async def over() -> bool:
            now = taken(service)
            return now[0] <= threads and now[1] <= sockets

        await until(reached, lambda: f"no {REACHED} connections: {established(port)}")
        await remove(service)
        await until(over, lambda: f"{threads} threads, {sockets} sockets before, now {taken(service)}")
        assert taken(service)[2] < megabytes + MOST_MEGABYTES
        assert "Traceback" not in service.process.output
