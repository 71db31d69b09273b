"""An MPEG transport stream as FFmpeg is given it: with a word behind each picture that it has ended. Pure.

A picture of video travels as one PES packet, cut into packets of 188 bytes (ITU-T H.222.0 clause 2.4.3). How long it is
need not be said, and mostly is not: FFmpeg hands it on when the next one begins, a frame interval later. But the last
piece of a PES packet is filled up with stuffing (clause 2.4.3.5), and no other is. Behind a piece with stuffing goes a
packet that only begins something, so that FFmpeg hands on what it has. Of a sender that stuffs in the midst nothing is
believed: it has to show that it does not, and loses this for good the first time that it does.
"""

from dataclasses import dataclass
from typing import Final

from streamer.source.reader import Body

SIZE: Final = 188
SYNC: Final = 0x47
SHOWN: Final = 8
"""PES packets of a stream that have ended as is usual, from which on it is believed to go on so."""
MOST_STREAMS: Final = 32
"""Streams of video that are looked at."""
LOOKED_FOR: Final = 2 * SIZE
"""Bytes among which the first packet begins, or it is no stream of such packets."""


@dataclass(slots=True)
class _Video:
    """One stream of video, by its PID."""

    counter: int
    """Continuity counter of its newest packet."""
    ended: bool = False
    """Its newest packet had stuffing."""
    shown: int = 0
    """PES packets in a row that had it in their last piece only; less than 0: it was seen elsewhere."""


class TransportStream:
    """A body that is passed on, with those packets in it."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._ready = bytearray()
        self._rest = b""
        """The beginning of a packet."""
        self._in_step = False
        self._given_up = False
        """It is no such stream, and is passed on as it is."""
        self._videos: dict[int, _Video] = {}

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            SourceError: as the body does.
        """
        while not self._ready:
            data = self._body.read(size)
            if not data:
                rest, self._rest = self._rest, b""
                return rest
            self._pass_on(data)
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _pass_on(self, data: bytes) -> None:
        data, self._rest = self._rest + data, b""
        at = 0
        while not self._given_up and len(data) - at >= SIZE:
            if data[at] != SYNC or not self._in_step:
                start = self._find(data, at)
                if start is None:
                    break
                self._ready += data[at:start]
                at = start
                if len(data) - at < SIZE:
                    break
            packet = data[at : at + SIZE]
            self._ready += packet
            self._ready += self._behind(packet)
            at += SIZE
        if self._given_up:
            self._ready += data[at:]
        else:
            self._rest = data[at:]

    def _find(self, data: bytes, at: int) -> int | None:
        """Where packets begin from here on; None: that cannot be told of so few bytes, or it was given up."""
        self._in_step = False
        start = data.find(SYNC, at)
        while start >= 0 and start - at <= LOOKED_FOR:
            if start + SIZE >= len(data):
                return None
            if data[start + SIZE] == SYNC:
                self._in_step = True
                return start
            start = data.find(SYNC, start + 1)
        self._given_up = len(data) - at > LOOKED_FOR
        return None

    def _behind(self, packet: bytes) -> bytes:
        """What belongs behind a packet."""
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        begins, control = packet[1] & 0x40, packet[3] >> 4 & 3
        if not control & 1:
            return b""
        video = self._videos.get(pid)
        if video is None:
            if begins and len(self._videos) < MOST_STREAMS and _is_video(packet):
                self._videos[pid] = _Video(packet[3] & 15, _is_stuffed(packet))
            return b""
        follows, video.counter = packet[3] & 15 == video.counter + 1 & 15, packet[3] & 15
        if follows and video.shown >= 0 and video.ended:
            video.shown = video.shown + 1 if begins else -1
        video.ended = _is_stuffed(packet)
        return _nudge(packet) if video.ended and video.shown >= SHOWN else b""


def _is_video(packet: bytes) -> bool:
    """Whether a PES packet of video begins in it (clause 2.4.3.7, table 2-22)."""
    at = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[at : at + 3] == b"\0\0\1" and packet[at + 3 : at + 4] != b"" and packet[at + 3] & 0xF0 == 0xE0


def _is_stuffed(packet: bytes) -> bool:
    """Whether a packet with payload has stuffing before it."""
    if not packet[3] & 0x20:
        return False
    length, flags = packet[4], packet[5]
    if length > SIZE - 5:
        return False  # no adaptation field is longer: who says so is broken, or means no good
    if length == 0 or (length == 1 and flags == 0):
        return True
    used = 1 + 6 * bool(flags & 0x10) + 6 * bool(flags & 0x08) + bool(flags & 0x04)
    for flag in (0x02, 0x01):  # private data, and the extension, each with its length before it
        if flags & flag and used < length:  # lies inside of the packet, as all of its adaptation field does
            used += 1 + packet[5 + used]
    return length > used


def _nudge(packet: bytes) -> bytes:
    """A packet of the same stream that begins a PES packet of one byte, which is none.

    It says that its counter may not fit: it is the last packet's, so that the next one's does.
    """
    head = bytes((SYNC, 0x40 | packet[1] & 0x1F, packet[2], 0x30 | packet[3] & 15))
    return head + bytes((SIZE - 6, 0x80)) + b"\xff" * (SIZE - 7) + b"\0"
