"""Whether a keyframe out of a container stands by itself. Pure.

Containers, and FFmpeg's parsers, call a keyframe what decoding may begin with; of H.264 that may be a point from which
an encoder refreshes its pictures strip by strip, which are made of what was before. What says otherwise is the kind of
its first slice (nal_unit_type): an IDR picture's, or of H.265 that of any IRAP.
"""

from collections.abc import Iterator, Mapping

import av

from streamer.rtp.sequence import SHORT_START
from streamer.source.claims import NEW_DESCRIPTION, length_size

MOST_UNITS = 64
"""Units before the first slice that are looked at: parameter sets, and a few messages."""
STANDING: Mapping[str, range] = {"h264": range(5, 6), "hevc": range(16, 22)}
"""Kinds of slices (H.264 table 7-1, H.265 table 7-1) of pictures that need no other."""
SLICES: Mapping[str, range] = {"h264": range(1, 6), "hevc": range(32)}


class Standing:
    """Of one container's video."""

    def __init__(self, context: av.VideoCodecContext) -> None:
        """Know how its units are written: behind start codes, or behind their lengths, as its description says."""
        self._codec = context.codec.canonical_name
        self._length = length_size(self._codec, context.extradata or b"")

    def has(self, packet: "av.Packet[av.VideoStream]") -> bool:
        """Whether the next packet is a keyframe that does; False where that cannot be told."""
        if packet.has_sidedata(NEW_DESCRIPTION):
            self._length = length_size(self._codec, bytes(packet.get_sidedata(NEW_DESCRIPTION)))
        if not packet.is_keyframe or self._codec not in SLICES:
            return packet.is_keyframe
        data = bytes(packet)
        heads = _after_lengths(data, self._length) if self._length else _after_starts(data)
        for _, head in zip(range(MOST_UNITS), heads, strict=False):
            kind = head & 0x1F if self._codec == "h264" else head >> 1 & 0x3F
            if kind in SLICES[self._codec]:
                return kind in STANDING[self._codec]
        return False


def _after_starts(data: bytes) -> Iterator[int]:
    """The first byte of each unit."""
    at = data.find(SHORT_START)
    while 0 <= at < len(data) - len(SHORT_START):
        at += len(SHORT_START)
        yield data[at]
        at = data.find(SHORT_START, at)


def _after_lengths(data: bytes, size: int) -> Iterator[int]:
    at = 0
    while at + size < len(data):
        yield data[at + size]
        at += size + int.from_bytes(data[at : at + size])
