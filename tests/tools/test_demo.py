"""streamer.tools.demo: `sightline demo` as a person meets it, from the command to Ctrl-C."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.process import Process, free_port

START_S = 240.0
"""TensorFlow starts three times on the way to the first detection."""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's folder whose footage is two seconds long, so that rendering it does not take most of the test."""
    folder = tmp_path_factory.mktemp("demo")
    footage: list[str | Path] = [
        sys.executable,
        "-m",
        "sightline_models.insulators.footage",
        "--seconds",
        "2",
        "--output",
        folder / "demo.mp4",
    ]
    subprocess.run(footage, check=True, stdout=subprocess.DEVNULL)
    return folder


class Demo:
    """A running `sightline demo`."""

    def __init__(self, state: Path) -> None:
        self.port = free_port()
        ports = ["--port", str(self.port), "--serving-port", str(free_port()), "--camera-port", str(free_port())]
        command: list[str | Path] = [sys.executable, "-m", "streamer", "demo", "--state", state, *ports]
        # As a script starts it in the background: with SIGINT ignored, which programs inherit.
        self.process = Process(["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command])

    def get(self, path: str) -> Any:
        """A JSON answer of the service."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
            return json.load(response)


@contextmanager
def run_demo(state: Path) -> Iterator[Demo]:
    """Run a demo, and everything it started, for as long as the block lasts."""
    demo = Demo(state)
    try:
        yield demo
    finally:
        demo.process.stop()


def living(state: Path) -> list[str]:
    """The command lines of all processes that name the demo's folder, and of those they started."""
    commands: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(folder.name)] = (parent, (folder / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it ended while we looked
                continue
    found = {pid for pid, (_, command) in commands.items() if str(state) in command}
    found |= {pid for pid, (parent, _) in commands.items() if parent in found}
    return [commands[pid][1] for pid in found]


def wait_until_gone(state: Path) -> None:
    """Wait until no process of the demo is left; a kill -9 of the parent reaches the others through the kernel."""
    deadline = time.monotonic() + 30
    while left := living(state):
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.1)


def test_ready_means_detections_and_ctrl_c_leaves_nothing(state: Path) -> None:
    """When it says ready a detection was made; Ctrl-C ends it with status 0 and no process is left."""
    with run_demo(state) as demo:
        demo.process.wait_for_output(f"ready: http://127.0.0.1:{demo.port}\n", timeout=START_S)
        (stream,) = demo.get("/api/streams")
        assert (stream["name"], stream["state"], stream["width"], stream["height"]) == ("drone", "live", 1280, 720)
        assert len(living(state)) >= 3, living(state)
        demo.process.signal(signal.SIGINT)
        assert demo.process.wait() == 0, demo.process.output
        assert "Traceback" not in demo.process.output
        wait_until_gone(state)


def test_kill_9_leaves_nothing(state: Path) -> None:
    """A demo that is killed without a chance to clean up takes its processes with it."""
    with run_demo(state) as demo:
        demo.process.wait_for_output("sightline: serving", timeout=START_S)
        assert len(living(state)) >= 3, living(state)
        demo.process.signal(signal.SIGKILL)
        demo.process.wait()
        wait_until_gone(state)


def test_ctrl_c_while_preparing_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while the footage is rendered and the model exported ends both, and leaves no half-made file."""
    with run_demo(tmp_path) as demo:
        demo.process.wait_for_output("rendering the demo flight", timeout=START_S)
        demo.process.signal(signal.SIGINT)
        assert demo.process.wait() == 0, demo.process.output
        wait_until_gone(tmp_path)
        assert "Traceback" not in demo.process.output
        assert not [path.name for path in tmp_path.rglob("*") if path.is_file()]


def test_a_port_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    """A port somebody has already is named with the option that changes it, before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "streamer",
            "demo",
            "--serving-port",
            port,
            "--state",
            str(tmp_path / "state"),
        ]
        done = subprocess.run([*command, "--port", str(free_port())], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"sightline: port {port} cannot be used (Address already in use); choose another with --serving-port\n"
    )
    assert not (tmp_path / "state").exists()
