"""coturn as a process: a TURN server (RFC 8656), for peers that reach nobody without one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from aioice.ice import get_host_addresses

from tests.peers.process import Process, run_process
from tests.peers.required import requires

USERNAME, CREDENTIAL = "viewer", "sesame-relay"
SECRET = "sesame-shared-secret"


@dataclass(frozen=True)
class TurnServer:
    """A running coturn."""

    process: Process
    url: str
    """For an ICE server's `url`."""


@contextmanager
def run_turn_server(*, secret: str | None = None) -> Iterator[TurnServer]:
    """Run coturn for as long as the block lasts, with one user, or with a secret that makes users."""
    requires("turnserver")
    with TemporaryDirectory() as state:  # its secrets are looked for in a database too, which must be one
        host = next(address for address in get_host_addresses(use_ipv4=True, use_ipv6=False))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        login = ["--lt-cred-mech", "--user", f"{USERNAME}:{CREDENTIAL}"]
        if secret is not None:
            login = ["--use-auth-secret", "--static-auth-secret", secret]
        command = [
            *("turnserver", "-n", "--realm", "sightline.example", *login),
            *("--listening-ip", host, "--relay-ip", host, "--listening-port", str(port), "--no-tls", "--no-dtls"),
            *("--no-cli", "--log-file", "stdout", "--verbose", "--pidfile", "/dev/null", "--userdb", f"{state}/turndb"),
        ]
        with run_process(command, ready="listener opened on") as process:
            yield TurnServer(process, f"turn:{host}:{port}?transport=udp")
