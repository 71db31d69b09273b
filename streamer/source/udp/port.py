"""The datagrams that arrive at one port of this machine, or that are sent to a group."""

import select
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from streamer.values.clock import Clock
from streamer.values.errors import SourceError

BUFFER = 1 << 20
"""Bytes the kernel is asked to keep: a keyframe comes as one burst."""
LONGEST = 1 << 16
"""Bytes of the longest datagram."""
AT_ONCE = 256
"""Datagrams that are read before anything else is looked at."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram."""

    data: bytes
    sender: tuple[str, int]
    """Its address and port."""
    at: float
    """Monotonic arrival."""


class Port:
    """Bound until it is closed.

    Args:
        address: this machine's, numeric; 0.0.0.0 for all of them; or a multicast group to join.
        port: to listen at.
        clock: monotonic seconds.
        interface: this machine's address whose network the group is in, where it has several; IPv4 only.

    Raises:
        SourceError: kind "unreachable"; the port cannot be had.
    """

    def __init__(self, address: str, port: int, clock: Clock, interface: str = "0.0.0.0") -> None:  # noqa: S104  the system's choice
        self._clock = clock
        self._room = bytearray(LONGEST)
        self._view = memoryview(self._room)
        self._poll = select.poll()  # select() itself knows no descriptor beyond 1023
        group = ip_address(address)
        self._socket = socket.socket(socket.AF_INET6 if group.version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            if group.is_multicast:  # others on this machine may listen to it too
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
            if group.is_multicast and group.version == 4:
                membership = group.packed + ip_address(interface).packed
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            elif group.is_multicast:
                membership = struct.pack("=16sI", group.packed, 0)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        except OSError as error:
            self._socket.close()
            raise SourceError("unreachable", f"cannot listen for the camera ({error.strerror})") from None
        self._poll.register(self._socket, select.POLLIN)

    def receive(self, seconds: float) -> list[Datagram]:
        """What has come, AT_ONCE at the most; waits so long for the first. Empty ones are none.

        Raises:
            SourceError: kind "ended"; the port failed.
        """
        found: list[Datagram] = []
        if not self._poll.poll(seconds * 1000):
            return found
        now = self._clock()
        for _ in range(AT_ONCE):
            try:
                size, sender = self._socket.recvfrom_into(self._room)
            except BlockingIOError:
                break
            except OSError as error:
                raise SourceError("ended", f"the port failed ({error.strerror})") from None
            if size:
                found.append(Datagram(bytes(self._view[:size]), sender[:2], now))
        return found

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self._socket.close()
