"""`python -m serving` as a process that can be killed and come back at the same address."""

import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, free_port

START_S = 120.0
"""How long the server may take: TensorFlow's import alone is nine seconds on two idle cores."""


class ModelServer:
    """A model server; `run_model_server` makes one."""

    def __init__(self, base_path: Path, model: str, port: int, flags: Sequence[str] = ()) -> None:
        self.model = model
        self.port = port
        self._flags = ["--port", str(port), "--model_name", model, "--model_base_path", str(base_path), *flags]
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """What stands in `serving.address`."""
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What stands in `serving`."""
        return {"address": self.address, "model": self.model}

    @property
    def pid(self) -> int | None:
        """Its process; None before it was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, or start it again, without waiting."""
        self.stop()
        self._process = Process([sys.executable, "-m", "serving", *self._flags])

    def wait(self) -> float:
        """Wait until its port is open; returns the monotonic time at which it was found so."""
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while True:
            assert self._process.returncode is None, f"the model server ended:\n{self._process.output}"
            assert time.monotonic() < deadline, f"the model server did not start:\n{self._process.output}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return time.monotonic()

    def kill(self) -> None:
        """Take it away at once."""
        assert self._process is not None
        self._process.kill()

    def stop(self) -> None:
        """End it. May be called twice."""
        if self._process is not None:
            self._process.stop()


@contextmanager
def run_model_server(
    base_path: Path, model: str, *, port: int | None = None, flags: Sequence[str] = ()
) -> Iterator[ModelServer]:
    """Serve a model for as long as the block lasts.

    Args:
        base_path: the directory that holds the versions.
        model: the name it is served under.
        port: on 127.0.0.1; any free one by default. Kept over `kill` and `start`.
        flags: more of the command line.
    """
    server = ModelServer(base_path, model, port or free_port(), flags)
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()
