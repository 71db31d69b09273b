"""VP8 out of RTP (RFC 7741): the payload without its descriptor. Keeps nothing."""

from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload


def read_vp8(payload: bytes) -> Payload:
    """Read one packet's payload.

    Raises:
        Malformed: it ends within its descriptor.
    """
    if not payload:
        return Payload(b"", has_picture=False)
    at = _descriptor(payload)
    if at > len(payload):
        raise Malformed("a VP8 packet ends within its descriptor")
    data = payload[at:]
    begins = payload[0] & 0x17 == 0x10 and bool(data)  # S and no partition index (section 4.2)
    is_key = begins and not data[0] & 1  # RFC 6386 section 9.1
    return Payload(data, begins, Entry.KEY if is_key else Entry.NONE, parameter_sets=is_key)


def _descriptor(payload: bytes) -> int:
    """The descriptor's length (section 4.2), perhaps beyond the payload."""
    if not payload[0] & 0x80:
        return 1
    extensions, at = payload[1:2], 2
    if not extensions:
        return at
    if extensions[0] & 0x80:  # a picture id, of one byte or two
        at += 2 if payload[at : at + 1] > b"\x7f" else 1
    if extensions[0] & 0x40:
        at += 1
    return at + (1 if extensions[0] & 0x30 else 0)
