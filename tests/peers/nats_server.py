"""A real NATS server with JetStream, or three of one cluster."""

import json
import socket
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.process import Process, free_port, run_process
from tests.peers.required import nats_server_path, requires
from tests.peers.until import wait_until


class NatsServer:
    """One, which can be stopped, killed and started again on its port; what it keeps in its folder it keeps."""

    def __init__(self, folder: Path, name: str, lines: Sequence[str] = ()) -> None:
        self.port, self.monitor = free_port(), free_port()
        self.folder, self.name = folder, name
        self.lines = list(lines)
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for as long as the block lasts."""
        program = nats_server_path()
        assert program is not None
        path = self.folder / f"{self.name}.conf"
        head = (f'listen: "127.0.0.1:{self.port}"', f'http: "127.0.0.1:{self.monitor}"', f"server_name: {self.name}")
        store = f'jetstream {{ store_dir: "{self.folder / self.name}" }}'
        path.write_text("\n".join((*head, store, *self.lines)))
        with run_process([program, "-c", path]) as self.process:
            wait_until(self._is_ready)
            yield

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.process.output
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def leads(self) -> bool:
        """Whether its cluster's JetStream has a leader, as far as it knows."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/jsz", timeout=2) as answer:
                return bool(json.load(answer).get("meta_cluster", {}).get("leader"))
        except OSError:
            return False


@contextmanager
def make_nats_server(*lines: str) -> Iterator[NatsServer]:
    """One that does not run yet.

    Args:
        lines: of its configuration, beside where it listens and keeps things; without any it lets everybody in.
    """
    requires("nats-server")
    with TemporaryDirectory(prefix="nats-") as folder:
        yield NatsServer(Path(folder), "n1", lines)


@contextmanager
def run_nats_server(*lines: str) -> Iterator[NatsServer]:
    """One that runs."""
    with make_nats_server(*lines) as server, server.running():
        yield server


@contextmanager
def run_nats_cluster() -> Iterator[list[NatsServer]]:
    """Three that run, and have agreed on who leads."""
    requires("nats-server")
    with TemporaryDirectory(prefix="nats-") as folder, ExitStack() as stack:
        servers = [NatsServer(Path(folder), f"n{number}") for number in (1, 2, 3)]
        ports = [free_port() for _ in servers]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        for server, port in zip(servers, ports, strict=True):
            server.lines = [f'cluster {{ name: sightline, listen: "127.0.0.1:{port}", routes: [{routes}] }}']
            stack.enter_context(server.running())
        wait_until(lambda: all(server.leads() for server in servers))
        yield servers
