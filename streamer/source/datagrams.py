"""MPEG-TS that comes in UDP datagrams, to this machine or to a group, as bytes for FFmpeg."""

import select
import socket
import struct
from ipaddress import ip_address

from streamer.source.failure import stalled
from streamer.source.protocol import LISTEN_TIMEOUT, STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.values.errors import SourceError

BUFFER = 1 << 20
"""Bytes the kernel is asked to keep: a keyframe comes as one burst."""
LONGEST = 1 << 16
"""Bytes of the longest datagram."""
GLANCE = 0.25
"""Seconds from one look at whether to end to the next."""


class Datagrams:
    """The datagrams that arrive at one port.

    Args:
        address: this machine's, numeric; 0.0.0.0 for all of them; or a multicast group to join.
        port: to listen at.
        stop: ends a `read` that waits.
        interface: this machine's address whose network the group is in, where it has several; IPv4 only.

    Raises:
        SourceError: the port cannot be had; in `read`, kind "waiting" or "stalled" where nothing came.
    """

    def __init__(self, address: str, port: int, stop: Stop, interface: str = "0.0.0.0") -> None:  # noqa: S104  the system's choice
        self._stop = stop
        self._rest = b""
        self._heard = False
        self._poll = select.poll()  # select() itself knows no descriptor beyond 1023
        group = ip_address(address)
        self._socket = socket.socket(socket.AF_INET6 if group.version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
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

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; none at the end."""
        if not self._rest:
            self._wait()
        # As many as are there: every call costs the thread a turn of the interpreter's lock.
        gathered = [self._rest]
        length = len(self._rest)
        while length < size and not self._stop:
            try:
                datagram = self._socket.recv(LONGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError as error:
                raise SourceError("ended", f"the port failed ({error.strerror})") from None
            gathered.append(datagram)
            length += len(datagram)
        joined = b"".join(gathered)
        taken, self._rest = joined[:size], joined[size:]
        return taken

    def _wait(self) -> None:
        patience = STALL_TIMEOUT if self._heard else LISTEN_TIMEOUT
        waited = 0.0
        while not self._stop:
            if self._poll.poll(GLANCE * 1000):
                self._heard = True
                return
            waited += GLANCE
            if waited >= patience:
                raise stalled() if self._heard else SourceError("waiting", "nobody sends yet")

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
