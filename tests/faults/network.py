"""Machines without machines: a network namespace each, on two networks that can be pulled from it. Needs root.

One network is between the machines, for NATS and what replicas say to each other; on the other are cameras and the
model server, which are in the namespace that everything was started from. So who is cut off from the others still has
his cameras, as in a hangar whose uplink is down.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

BETWEEN, CAMERAS = "10.87.1", "10.87.2"
"""The two networks: /24; the host is .254 of each, machine N is .N."""


class Machine:
    """One namespace."""

    def __init__(self, number: int) -> None:
        """Number one from 1 on."""
        self.number = number
        self.namespace = f"slf-{os.getpid()}-{number}"
        self.address = f"{BETWEEN}.{number}"
        """Where the others find it."""
        self.front = f"{CAMERAS}.{number}"
        """Where browsers find it, and cameras."""

    @property
    def prefix(self) -> list[str]:
        """What a command begins with that is to run on it."""
        return ["ip", "netns", "exec", self.namespace]

    def cut(self) -> None:
        """Pull the cable to the others."""
        _ip("link", "set", self._cable("b"), "down")

    def mend(self) -> None:
        """Put it back."""
        _ip("link", "set", self._cable("b"), "up")

    def _cable(self, kind: str) -> str:
        """The host's end of a cable; names of interfaces may have 15 letters."""
        return f"sl{kind}{os.getpid() % 10**7}-{self.number}"

    @contextmanager
    def existing(self) -> Iterator[None]:
        """Have it for as long as the block lasts."""
        _ip("netns", "add", self.namespace)
        try:
            _ip("-n", self.namespace, "link", "set", "lo", "up")
            for kind, address in (("b", self.address), ("c", self.front)):
                cable, bridge = self._cable(kind), _bridge(kind)
                _ip("link", "add", cable, "type", "veth", "peer", "name", f"eth{kind}", "netns", self.namespace)
                _ip("link", "set", cable, "master", bridge, "up")
                _ip("-n", self.namespace, "addr", "add", f"{address}/24", "dev", f"eth{kind}")
                _ip("-n", self.namespace, "link", "set", f"eth{kind}", "up")
            yield
        finally:
            _ip("netns", "del", self.namespace)


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """Have some, joined by both networks, for as long as the block lasts."""
    with ExitStack() as stack:
        for kind, network in (("b", BETWEEN), ("c", CAMERAS)):
            bridge = _bridge(kind)
            _ip("link", "add", bridge, "type", "bridge")
            stack.callback(_ip, "link", "del", bridge)
            _ip("addr", "add", f"{network}.254/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
        made = [Machine(number) for number in range(1, count + 1)]
        for machine in made:
            stack.enter_context(machine.existing())
        yield made


def _bridge(kind: str) -> str:
    return f"slbr{kind}{os.getpid() % 10**7}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
