"""coturn as a process: a TURN server (RFC 8656), for peers that reach nobody without one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aioice.ice import get_host_addresses

from tests.peers.process import Process, run_process
from tests.peers.required import requires

USERNAME, CREDENTIAL = "viewer", "sesame-relay"


@dataclass(frozen=True)
class TurnServer:
    """A running coturn."""

    process: Process
    url: str
    """For an ICE server's `url`."""


@contextmanager
def run_turn_server() -> Iterator[TurnServer]:
    """Run coturn, with one user, for as long as the block lasts."""
    requires("turnserver")
    host = next(address for address in get_host_addresses(use_ipv4=True, use_ipv6=False))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    command = [
        *("turnserver", "-n", "--realm", "sightline.example", "--lt-cred-mech", "--user", f"{USERNAME}:{CREDENTIAL}"),
        *("--listening-ip", host, "--relay-ip", host, "--listening-port", str(port), "--no-tls", "--no-dtls"),
        *("--no-cli", "--log-file", "stdout", "--verbose", "--pidfile", "/dev/null", "--userdb", "/dev/null"),
    ]
    with run_process(command, ready="listener opened on") as process:
        yield TurnServer(process, f"turn:{host}:{port}?transport=udp")
