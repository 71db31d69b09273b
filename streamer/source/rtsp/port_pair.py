"""Two neighbouring UDP ports, for RTP and RTCP (RFC 3550 section 11), that hear the camera and nobody else."""

import socket
import struct

from streamer.source.rtsp.placement import Pair
from streamer.values.errors import SourceError

TRIES = 32
"""Pairs that are looked for."""
BUFFER = 1 << 20
"""Bytes the kernel may hold: a keyframe comes as a burst of datagrams."""
AT_ONCE = 256
"""Datagrams that are read before anything else is looked at."""
_NOTHING = struct.pack(">BBHII", 0x80, 0, 0, 0, 0)
"""An RTP packet without a payload."""


class PortPair:
    """Bound until it is closed.

    Args:
        here: this machine's address, as the camera knows it.
        there: the camera's.

    Raises:
        SourceError: kind "failed"; there are no two such ports, or no descriptors for them.
    """

    def __init__(self, here: str, there: str) -> None:
        self._there = there
        self._family = socket.AF_INET6 if ":" in here else socket.AF_INET
        self.theirs: Pair | None = None
        """Where the other side sends from, and takes reports; None: it has not said."""
        self.rtp, self.rtcp = self._bind(here)
        self._room = bytearray(1 << 16)
        self._view = memoryview(self._room)
        self.rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)

    @property
    def numbers(self) -> Pair:
        """The ports."""
        return self.rtp.getsockname()[1], self.rtcp.getsockname()[1]

    def open_way(self, server_ports: Pair | None, report: bytes) -> None:
        """Send something to where the camera will send from, so that what stands between lets its datagrams in."""
        self.theirs = server_ports
        if server_ports is not None:
            self._send(self.rtp, _NOTHING, server_ports[0])
            self.report(report)

    def report(self, report: bytes) -> None:
        """Send RTCP, if the camera has said where to."""
        if self.theirs is not None:
            self._send(self.rtcp, report, self.theirs[1])

    def read(self, bound: socket.socket) -> list[bytes]:
        """What has come to one of them, AT_ONCE at the most."""
        found: list[bytes] = []
        try:
            for _ in range(AT_ONCE):
                size, sender = bound.recvfrom_into(self._room)
                if sender[0] == self._there:
                    found.append(bytes(self._view[:size]))
        except OSError:  # nothing more; or an error about a datagram of ours
            return found
        return found

    def close(self) -> None:
        """Let go of them. May be called twice."""
        self.rtp.close()
        self.rtcp.close()

    def _send(self, bound: socket.socket, data: bytes, port: int) -> None:
        try:
            bound.sendto(data, (self._there, port))
        except OSError:  # nobody depends on it
            return

    def _bind(self, here: str) -> tuple[socket.socket, socket.socket]:
        for _ in range(TRIES):
            one = self._bound(here, 0)
            port = one.getsockname()[1] if one is not None else 0
            try:
                other = self._bound(here, port ^ 1) if port else None
            except SourceError:
                if one is not None:
                    one.close()
                raise
            if one is not None and other is not None:
                return (other, one) if port & 1 else (one, other)
            if one is not None:
                one.close()
        raise SourceError("failed", "this machine has no two neighbouring UDP ports left")

    def _bound(self, here: str, port: int) -> socket.socket | None:
        """Bound to a port; None: it is another's."""
        try:
            bound = socket.socket(self._family, socket.SOCK_DGRAM)
        except OSError as error:  # no descriptors are left, most likely
            raise SourceError("failed", f"this machine has no UDP ports to give ({error.strerror})") from None
        bound.setblocking(False)
        try:
            bound.bind((here, port))
        except OSError:
            bound.close()
            return None
        return bound
