"""What encoded pictures claim of themselves, checked before a decoder takes memory on their word.

FFmpeg's decoders check by themselves what is shown. Of H.264 that may be less than what is decoded: pictures of 14080 x
14080 pixels, cut down to 320 x 240, are within any limit of theirs, and took 2.5 GB.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import av

from streamer.rtp.packet import Malformed
from streamer.rtp.sequence import SHORT_START, Sequence, read, sets
from streamer.source.target import Limits
from streamer.values.errors import SourceError

NEW_DESCRIPTION: Final = "new_extradata"
"""A packet's side data with which a container says anew what it said for all (AV_PKT_DATA_NEW_EXTRADATA)."""
MOST_UNITS = 8192
"""Units of one picture, where they are counted out: each costs the interpreter a microsecond."""


class Claims:
    """One decoder's."""

    def __init__(self, context: av.VideoCodecContext, limits: Limits) -> None:
        """Check what the container says for all pictures, its extradata.

        Raises:
            SourceError: kind "too_large".
        """
        self._codec, self._limits = context.codec.name, limits
        self._lengths: set[int] = set()
        """Bytes of the length before each unit: every size that was said, as FFmpeg may not take the newest."""
        self._starts = True
        """Whether start codes stand before them."""
        self._require_described(context.extradata or b"")

    def require(self, packet: "av.Packet[av.VideoStream]") -> None:
        """Check what a packet brings, whatever came before.

        Raises:
            SourceError: kind "too_large".
        """
        if packet.has_sidedata(NEW_DESCRIPTION):
            self._require_described(bytes(packet.get_sidedata(NEW_DESCRIPTION)))
        data = bytes(packet)
        for size in self._lengths:
            self._require(_of_lengths(data, size))
        # FFmpeg goes by start codes, whatever was described, where a packet begins with one.
        if self._starts or data.startswith(b"\0" + SHORT_START):
            self._require(sets(self._codec, data))

    def _require_described(self, described: bytes) -> None:
        size = length_size(self._codec, described)
        self._starts = not size
        if size:
            self._lengths.add(size)
        self._require(_of_description(self._codec, described) if size else sets(self._codec, described))

    def _require(self, units: Iterable[bytes]) -> None:
        try:
            found = read(self._codec, units)
        except Malformed as error:
            raise SourceError("too_large", f"the camera sends {error}") from None
        for sequence in found:
            self._require_modest(sequence)

    def _require_modest(self, sequence: Sequence) -> None:
        limits = self._limits
        if sequence.shown > limits.max_pixels:
            limits.require_size(sequence.width, sequence.height)
        most = limits.max_held * limits.max_pixels // sequence.shown
        if sequence.held > most:
            what = f"{sequence.held} pictures of {sequence.width} x {sequence.height} held at once"
            raise SourceError("too_large", f"the camera wants {what}, more than {most}")


def length_size(codec: str, described: bytes) -> int:
    """Bytes of the lengths that take the place of start codes in MP4 and FLV (ISO/IEC 14496-15); 0 where none do."""
    if codec == "h264" and len(described) > 6 and described[0] == 1:
        return 1 + (described[4] & 3)
    if codec == "hevc" and len(described) > 22 and described[:3] > SHORT_START:
        return 1 + (described[21] & 3)
    return 0


def _of_description(codec: str, described: bytes) -> Iterator[bytes]:
    """The sequence parameter sets in a description of that kind; of H.265 the others too (clauses 5.3.3.1, 8.3.3.1)."""
    if codec == "h264":
        yield from _of_lengths(described[6:], 2, described[5] & 0x1F)
        return
    at = 23
    for _ in range(described[22]):
        count = int.from_bytes(described[at + 1 : at + 3])
        at += 3
        for unit in _of_lengths(described[at:], 2, count):
            yield unit
            at += 2 + len(unit)


def _of_lengths(data: bytes, size: int, count: int | None = None) -> Iterator[bytes]:
    """So many units, or all, each behind its length; one that is longer than what there is, as far as it goes.

    Raises:
        Malformed: there are more than any picture has.
    """
    at = found = 0
    while at + size <= len(data) and found != count:
        if found == MOST_UNITS:
            raise Malformed(f"more than {MOST_UNITS} units with one picture")
        end = at + size + int.from_bytes(data[at : at + size])
        yield data[at + size : end]
        at, found = end, found + 1
