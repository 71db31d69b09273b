"""Whether a sender's sequence numbers can be believed, where packets come in order anyway (TCP). Pure.

Cameras exist whose number never changes, and some that count all their tracks together, so that a track of theirs has a
gap in almost every picture. A gap in most pictures is no loss on a connection that loses nothing.
"""

from typing import Literal

from streamer.rtp.packet import Packet

Relation = Literal["newer", "same", "repeat"]
"""Of a later time than all before; of the same or an earlier one; the one before, to the byte."""

WINDOW = 16
"""Pictures that are looked at."""
DOUBTED = 12
"""Of them with numbers out of order, after which none is believed: a camera short of breath drops a few in a row."""


class Numbering:
    """What one sender's sequence numbers are worth."""

    def __init__(self) -> None:
        self.believed = True
        """Whether a number that does not follow the one before means a loss."""
        self._before: Packet | None = None
        self._latest = 0
        """The latest timestamp."""
        self._out_of_order = 0
        """The newest pictures, a bit each, the newest lowest: whether a number in it was out of order."""

    def follows(self, sequence: int, timestamp: int) -> bool:
        """Whether a packet of that number and time would change nothing of what is thought of its sender."""
        before = self._before
        if before is None or not self.believed:
            return False
        return before.timestamp == timestamp and sequence == (before.sequence + 1) & 0xFFFF

    def went_on(self, last: Packet) -> None:
        """Packets that follow each other have come, up to this one."""
        self._before = last

    def take(self, packet: Packet) -> Relation:
        """Look at a packet as it arrives; returns how it stands to those before it."""
        before, self._before = self._before, packet
        if before is None:
            self._latest = packet.timestamp
            return "newer"
        if packet.sequence == before.sequence and packet == before:
            return "repeat"
        newer = 0 < (packet.timestamp - self._latest) % (1 << 32) < 1 << 31
        if newer:
            self._latest = packet.timestamp
            self._out_of_order = self._out_of_order << 1 & ((1 << WINDOW) - 1)
        self._out_of_order |= packet.sequence != (before.sequence + 1) & 0xFFFF
        if self._out_of_order.bit_count() >= DOUBTED:
            self.believed = False
        return "newer" if newer else "same"
