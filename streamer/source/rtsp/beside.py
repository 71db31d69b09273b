"""The sound a camera sends beside its video in one session: a track of its own, on channels or ports of its own."""

import socket
from collections.abc import Callable

from streamer.source.rtsp.description import Track
from streamer.source.rtsp.placement import Placement
from streamer.source.rtsp.port_pair import PortPair

Take = Callable[[bytes, float], None]
"""Takes a packet, with its monotonic arrival."""


def _forget(_: bytes, __: float) -> None:
    """Before anybody listens."""


class Beside:
    """One session's.

    Args:
        track: as the camera describes it.
        placement: of its packets.
        ports: where they come by UDP; None: over the connection.
    """

    def __init__(self, track: Track, placement: Placement, ports: PortPair | None) -> None:
        self.track = track
        self._channels, self._ports = placement.channels, ports
        self.on_packet: Take = _forget
        """Takes RTP."""
        self.on_report: Take = _forget
        """Takes RTCP."""

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """What is to be listened to."""
        return () if self._ports is None else (self._ports.rtp, self._ports.rtcp)

    def take(self, channel: int, data: bytes, now: float) -> None:
        """Something came over the connection on a channel that is not the video's."""
        if self._ports is None and channel in self._channels:
            (self.on_packet if channel == self._channels[0] else self.on_report)(data, now)

    def read(self, ready: set[int], now: float) -> None:
        """Take what has come to those sockets that are ready, by their descriptors."""
        if self._ports is None:
            return
        for bound, take in ((self._ports.rtp, self.on_packet), (self._ports.rtcp, self.on_report)):
            if bound.fileno() in ready:
                for data in self._ports.read(bound):
                    take(data, now)
