"""The TCP connections of this machine, as the kernel lists them (proc(5))."""

from pathlib import Path

_ESTABLISHED = "01"


def established(port: int) -> set[int]:
    """Our own ports of the connections there are to a port of 127.0.0.1."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state = line.split()[:4]
        if state == _ESTABLISHED and int(remote.partition(":")[2], 16) == port:
            found.add(int(local.partition(":")[2], 16))
    return found
