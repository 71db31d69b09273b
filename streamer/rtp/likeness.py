"""Which codec a payload looks like, where no description tells. Pure.

The first two bytes of a NAL unit are rarely right for H.264 and for H.265 at once: what H.264 begins with has a layer
above 0 in H.265's eyes, and H.265's kinds are H.264's with an importance they must not have.
"""

from streamer.rtp.h264 import FU_A, STAP_A

_H264_KINDS = frozenset((1, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 20))
"""Those that are sent (H.264 table 7-1): no partitions, as which H.265's slices would pass."""
_UNIMPORTANT = frozenset((6, 9, 10, 11, 12))
"""Whose nal_ref_idc is 0 (clause 7.4.1)."""
_IMPORTANT = frozenset((5, 7, 8))
"""Whose is not."""
_H265_KINDS = frozenset((*range(10), *range(16, 22), *range(32, 41)))
"""Those that are sent (H.265 table 7-1)."""
_AGGREGATE, _FRAGMENT = 48, 49
PACKET = 188
"""Bytes of a packet of MPEG-TS (ISO/IEC 13818-1 clause 2.4.3.2)."""


def is_h264(payload: bytes) -> bool:
    """Whether RTP's payload may be H.264 (RFC 6184), packetization modes 0 and 1."""
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind == FU_A:
        return (
            payload[0] < 0x80
            and len(payload) > 2
            and payload[1] & 0x1F in _H264_KINDS
            and _is_fragment(payload[1], 0x20)
        )
    if kind == STAP_A:
        sizes = _sizes(payload, 1)
        return payload[0] < 0x80 and bool(sizes) and all(is_h264_unit(payload[at:]) for at in sizes)
    return is_h264_unit(payload)


def is_h265(payload: bytes) -> bool:
    """Whether RTP's payload may be H.265 (RFC 7798)."""
    if len(payload) < 2 or not _is_h265_head(payload):
        return False
    kind = payload[0] >> 1
    if kind == _FRAGMENT:
        return len(payload) > 3 and payload[2] & 0x3F in _H265_KINDS and _is_fragment(payload[2], 0)
    if kind == _AGGREGATE:
        sizes = _sizes(payload, 2)
        return bool(sizes) and all(is_h265_unit(payload[at:]) for at in sizes)
    return kind in _H265_KINDS


def is_h264_unit(unit: bytes) -> bool:
    """Whether a NAL unit may be one of H.264; its first byte is looked at."""
    kind, importance = unit[0] & 0x1F, unit[0] >> 5
    if importance > 3 or kind not in _H264_KINDS:
        return False
    return not importance if kind in _UNIMPORTANT else bool(importance) or kind not in _IMPORTANT


def is_h265_unit(unit: bytes) -> bool:
    """Whether a NAL unit may be one of H.265; its first two bytes are looked at."""
    return len(unit) > 1 and _is_h265_head(unit) and unit[0] >> 1 in _H265_KINDS


def is_transport_stream(payload: bytes) -> bool:
    """Whether it is whole packets of MPEG-TS."""
    count, rest = divmod(len(payload), PACKET)
    return bool(count) and not rest and payload[::PACKET] == b"\x47" * count


def _is_h265_head(unit: bytes) -> bool:
    """Bit 0, a kind, layer 0, and a temporal id, which is never 0 on the way (clause 7.4.2.2)."""
    return not unit[0] & 0x81 and not unit[1] & 0xF8 and bool(unit[1] & 7)


def _is_fragment(header: int, reserved: int) -> bool:
    """Begin and end are never in one (RFC 6184 section 5.8, RFC 7798 section 4.4.3)."""
    return header & 0xC0 != 0xC0 and not header & reserved


def _sizes(payload: bytes, at: int) -> list[int]:
    """Where an aggregate's units begin; none where their sizes do not fill it."""
    found: list[int] = []
    while at + 2 < len(payload):
        found.append(at + 2)
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return found if at == len(payload) and len(set(found)) == len(found) else []
