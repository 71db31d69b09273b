"""One RTP packet, read (RFC 3550 section 5.1): every length is checked before it is believed."""

import struct
from dataclasses import dataclass

HEADER = 12
"""Bytes of the fixed header."""
_HEADER = struct.Struct(">BBHII")
REPORTS = range(192, 224)
"""The second byte of RTCP (RFC 5761 section 4): no video has one of these payload types with the marker set."""


class Malformed(ValueError):
    """A packet, a payload or a report is not what its RFC says, or a kind that is not read here; says which."""


class Hopeless(Malformed):
    """And so will be everything else of its sender."""


@dataclass(slots=True)
class Packet:
    """One RTP packet. Not frozen, as one is made for each that comes: see `Payload`."""

    payload_type: int
    """7 bits."""
    marker: bool
    """For video: the last packet of its picture."""
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, in ticks of the codec's clock."""
    ssrc: int
    """32 bits."""
    payload: bytes
    """A copy of its own, without padding."""
    extension: bytes = b""
    """Its header extension, where that has segments of JPEG (ONVIF Streaming Specification 5.1.3); no other is read."""


def read_packet(data: bytes | bytearray | memoryview) -> Packet:
    """Read a datagram, or what was interleaved as one.

    Raises:
        Malformed: not version 2, or shorter than its own fields say.
    """
    end = len(data)
    if end < HEADER:
        raise Malformed(f"{end} bytes are no RTP packet: its header alone has {HEADER}")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise Malformed(f"version {first >> 6} of RTP; there is only 2")
    start, extension = HEADER + 4 * (first & 0x0F), b""
    if first & 0x10:
        if end < start + 4:
            raise Malformed("an RTP packet ends before its header extension")
        begin = start + 4
        start = begin + 4 * int.from_bytes(data[start + 2 : begin], "big")
        if data[begin - 4] == 0xFF and data[begin - 3] == 0xD8:
            extension = bytes(data[begin:start])
    if first & 0x20:
        end -= data[end - 1]  # 0 from senders that set the bit and pad nothing
    if end < start:
        raise Malformed("an RTP packet is shorter than its sources, extension and padding")
    return Packet(
        second & 0x7F,
        second >= 0x80,
        sequence,
        timestamp,
        ssrc,
        bytes(data[start:end]),
        extension,
    )


def is_report(data: bytes | bytearray | memoryview) -> bool:
    """Whether a datagram is RTCP, where both come to one port (RFC 5761 section 4)."""
    return len(data) > 1 and data[1] in REPORTS
