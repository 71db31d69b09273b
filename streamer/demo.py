"""`sightline demo`: a demo drone camera, the embedded model server and the service, on one machine without Docker.

Four processes, as in real use: the camera pushes RTSP, the model server answers gRPC, the service serves the page, and
this one starts them, waits for the first detection and takes them down again.
"""

import ctypes
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from streamer.errors import ConfigError

STREAM = "drone"
MODEL = "insulators"
START_TIMEOUT = 180.0
"""Seconds for a process to be of use; TensorFlow alone takes ten on a small machine."""
STOP_TIMEOUT = 8.0
PR_SET_PDEATHSIG = 1


class Demo:
    """The processes of the demo."""

    def __init__(self, state: Path, port: int, serving_port: int, camera_port: int) -> None:
        self._state = state.absolute()
        self._port, self._serving_port, self._camera_port = port, serving_port, camera_port
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started = time.monotonic()

    def run(self) -> int:
        """Start everything, say where to look, and stop everything on Ctrl-C.

        Raises:
            ConfigError: a port is taken, TensorFlow is not installed, or a process ended before it was of use.
        """
        _require_tensorflow()
        for option, port in (
            ("--port", self._port),
            ("--serving-port", self._serving_port),
            ("--camera-port", self._camera_port),
        ):
            _require_free(option, port)
        stopped = False

        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, stop)
        with ExitStack() as stack:
            stack.callback(self._stop)
            try:
                self._start()
                self._say(f"ready: http://127.0.0.1:{self._port}")
                self._watch()
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                print("\nsightline: stopping", flush=True)
        return 0

    def _start(self) -> None:
        models, footage, config = self._state / "models" / MODEL, self._state / "demo.mp4", self._state / "demo.yaml"
        self._state.mkdir(parents=True, exist_ok=True)
        making = {"export": self._spawn("export", "-m", "export", "--if-changed", "--output", str(models))}
        if not footage.exists():
            making["footage"] = self._spawn("footage", "-m", "models.insulators.footage", "--output", str(footage))
        for name, process in making.items():
            if process.wait() != 0:
                raise ConfigError(f"the {name} failed; its own words are above")
        self._say("starting the model server, the camera and the service")
        self._spawn(
            "model server", "-m", "serving", "--port", str(self._serving_port),
            "--model_name", MODEL, "--model_base_path", str(models),
        )  # fmt: skip
        camera = f"rtsp://127.0.0.1:{self._camera_port}/{STREAM}"
        config.write_text(_CONFIG.format(port=self._port, serving=self._serving_port, camera=camera))
        self._spawn("service", "-m", "streamer", "serve", "--config", str(config))
        self._spawn("camera", "-m", "streamer", "camera", str(footage), camera)
        self._await("the page", lambda: _get(f"http://127.0.0.1:{self._port}/healthz") is not None)
        self._await("the model server", lambda: _get(f"http://127.0.0.1:{self._port}/readyz") is not None)
        self._await("the first detection", self._detected)

    def _detected(self) -> bool:
        listing = _get(f"http://127.0.0.1:{self._port}/metrics")
        return listing is not None and "sightline_detections_total{" in listing

    def _spawn(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start one process that dies with this one, whatever kills it, and does not see the terminal's Ctrl-C."""
        parent = os.getpid()

        def die_with_parent() -> None:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, process_group=0
        )
        self._processes[name] = process
        return process

    def _await(self, what: str, there: Callable[[], bool]) -> None:
        """Wait for something to be there, showing that time passes."""
        started = said = time.monotonic()
        while not there():
            self._require_alive()
            now = time.monotonic()
            if now - started > START_TIMEOUT:
                raise ConfigError(f"{what} did not come within {START_TIMEOUT:.0f} s")
            if now - said > 5:
                self._say(f"waiting for {what} ({now - started:.0f} s)")
                said = now
            time.sleep(0.2)

    def _require_alive(self) -> None:
        for name in ("model server", "service", "camera"):
            process = self._processes[name]
            if process.poll() is not None:
                raise ConfigError(f"the {name} ended with exit code {process.returncode}; its own words are above")

    def _watch(self) -> None:
        """Stay until somebody interrupts, or a process ends."""
        while True:
            self._require_alive()
            time.sleep(0.5)

    def _stop(self) -> None:
        """End what runs, newest first, firmly if need be."""
        running = [process for process in reversed(self._processes.values()) if process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _say(self, sentence: str) -> None:
        print(
            f"[{time.monotonic() - self._started:5.1f} s] {sentence}" if "ready" not in sentence else sentence,
            flush=True,
        )


_CONFIG = """\
# Written by `sightline demo`, each time. Your own starts at docs/sightline.yaml.
server:  {{host: 127.0.0.1, port: {port}}}
serving: {{address: "127.0.0.1:{serving}", model: insulators}}
streams:
  drone: {{url: "{camera}", listen: true, sample_fps: 5}}
"""


def _get(url: str) -> str | None:
    """A page's text, or None where it is not there or says it is not ready."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  our own loopback address
            return str(response.read().decode())
    except (urllib.error.URLError, OSError, json.JSONDecodeError):
        return None


def _require_free(option: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "not a port"
            raise ConfigError(f"port {port} cannot be used ({reason}); choose another with {option}") from None


def _require_tensorflow() -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise ConfigError(
            "the demo's model server needs TensorFlow, which is not installed: `pip install 'sightline[model]'`"
        )
