"""MPEG-4 part 2 out of RTP (RFC 6416 section 5): the payload is the stream itself. Keeps nothing."""

from streamer.rtp.payload import Entry, Payload

PICTURE = b"\0\0\1\xb6"
"""The start code of a VOP (ISO/IEC 14496-2 clause 6.2.1)."""
SEQUENCES = (b"\0\0\1\xb0", *(bytes((0, 0, 1, code)) for code in range(0x20, 0x30)))
"""Those of a sequence and of a video object layer."""


def read_mpeg4(payload: bytes) -> Payload:
    """Read one packet's payload. Whatever it is, it is never malformed: the decoder judges."""
    if not payload.startswith(b"\0\0\1"):
        return Payload(payload, has_picture=bool(payload))
    at = payload.find(PICTURE)
    sequence = any(code in payload[: at if at >= 0 else None] for code in SEQUENCES)
    if at < 0:
        # A packet of video within a VOP begins with another marker, so this is a header of what is to come.
        return Payload(payload, opens=True, has_picture=False, parameter_sets=sequence)
    coding = payload[at + 4 : at + 5]
    entry = Entry.KEY if coding and not coding[0] >> 6 else Entry.NONE  # vop_coding_type I
    return Payload(payload, opens=True, entry=entry, parameter_sets=sequence)
