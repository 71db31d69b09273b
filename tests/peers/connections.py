"""The connections of this machine and who waits for one, as the kernel lists them (proc(5)): nobody is knocked at."""

from collections.abc import Iterator
from pathlib import Path

_ESTABLISHED, _LISTENS = "01", "0A"


def established(port: int) -> set[int]:
    """Our own ports of the connections there are to a port of 127.0.0.1."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state = line.split()[:4]
        if state == _ESTABLISHED and int(remote.partition(":")[2], 16) == port:
            found.add(int(local.partition(":")[2], 16))
    return found


def listens(port: int) -> bool:
    """Whether somebody waits for TCP connections there, at whichever address."""
    return any(state == _LISTENS for state in _states(port, "tcp"))


def takes_datagrams(port: int) -> bool:
    """Whether somebody takes datagrams there, at whichever address."""
    return any(_states(port, "udp"))


def _states(port: int, protocol: str) -> Iterator[str]:
    """Of the sockets whose own port it is, over IPv4 and IPv6."""
    for path in (Path(f"/proc/net/{protocol}"), Path(f"/proc/net/{protocol}6")):
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state = line.split()[:4]
            if int(local.rpartition(":")[2], 16) == port:
                yield state
