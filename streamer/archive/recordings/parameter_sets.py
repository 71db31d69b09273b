"""What a decoder must be told before the first picture: another, and another file begins. Pure."""

from collections.abc import Iterator

_START = b"\0\0\1"


def sets_of(codec: str, keyframe: bytes) -> frozenset[bytes]:
    """The parameter sets in front of a keyframe's picture: of H.264 and H.265 in Annex B, of others none.

    Some cameras say them twice before the first picture, some say them in changing order.
    """
    if codec == "h264":  # ITU-T H.264 table 7-1: SPS, PPS; 1 to 5 are slices
        return frozenset(unit for unit, kind in _units(keyframe, 0, 0x1F, range(1, 6)) if kind in (7, 8))
    if codec == "hevc":  # ITU-T H.265 table 7-1: VPS, SPS, PPS; below 32 are slices
        return frozenset(unit for unit, kind in _units(keyframe, 1, 0x3F, range(32)) if kind in (32, 33, 34))
    return frozenset()


def _units(data: bytes, shift: int, mask: int, picture: range) -> Iterator[tuple[bytes, int]]:
    """NAL units before the first of the picture, and their types."""
    begin = data.find(_START)
    while begin >= 0 and begin + 3 < len(data):
        begin += 3
        kind = data[begin] >> shift & mask
        if kind in picture:
            return
        end = data.find(_START, begin)
        yield data[begin : len(data) if end < 0 else end].rstrip(b"\0"), kind
        begin = end
