"""The least of RTCP (RFC 3550) that a session needs: that we are here, and that the camera leaves. Pure."""

import struct
from collections.abc import Iterator

INTERVAL = 5.0
"""Seconds from one report to the next (section 6.2)."""
_RECEIVER_REPORT, _DESCRIPTION, _BYE = 201, 202, 203


def smallest(ssrc: int) -> bytes:
    """A receiver report about nobody, and the description that belongs to it (sections 6.4.2 and 6.5).

    Args:
        ssrc: our own, 32 bits.
    """
    name = f"{ssrc:08x}".encode()
    item = bytes((1, len(name))) + name
    item += bytes(4 - len(item) % 4)
    report = struct.pack(">BBHI", 0x80, _RECEIVER_REPORT, 1, ssrc)
    return report + struct.pack(">BBHI", 0x81, _DESCRIPTION, 1 + len(item) // 4, ssrc) + item


def leavers(reports: bytes) -> Iterator[bytes]:
    """The SSRCs, four bytes each, that leave by a compound packet (section 6.6); what is malformed is passed over."""
    start = 0
    while start + 4 <= len(reports):
        first, kind, words = struct.unpack_from(">BBH", reports, start)
        end = start + 4 + 4 * words
        if kind == _BYE and end <= len(reports):
            yield from (reports[at : at + 4] for at in range(start + 4, start + 4 + 4 * min(first & 31, words), 4))
        start = end
