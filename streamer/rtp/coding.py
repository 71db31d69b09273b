"""What one source's encoded pictures are coded in, read off the pictures; and each key picture complete. Pure.

A recording may begin with any key picture, and a file can be made of nothing else than what is in it. Senders may say
their parameter sets once, or beside the video: what a key picture lacks is put in front of it.
"""

from bisect import insort
from collections.abc import Iterator, Mapping

from streamer.rtp.packet import Malformed
from streamer.rtp.sequence import SHORT_START
from streamer.rtp.shown import Shown, read_shown
from streamer.values.coded import MICROSECONDS, CodedForm

LOOKED_BACK = 16
"""Pictures that may come before one that is shown earlier (H.264, clause A.3; H.265, clause A.4)."""
START = b"\0" + SHORT_START
VP8_START = b"\x9d\x01\x2a"
"""What stands before the size in a key frame of VP8 (RFC 6386 section 9.1)."""

Size = tuple[int, int]
"""Width and height, in pixels."""


class Coding:
    """Of one source's pictures, as they come."""

    def __init__(self, codec: str, *, frame_rate: float | None = None, described: bytes = b"") -> None:
        """Know nothing but that.

        Args:
            codec: FFmpeg's name.
            frame_rate: pictures a second, as far as is said beside the video.
            described: of H.264 and H.265, parameter sets in Annex B that are said beside the video.
        """
        self._codec, self._frame_rate = codec, frame_rate
        self._kinds = _SETS.get(codec, {})
        self._sets: dict[int, bytes] = {}
        """The newest of each kind, start codes included."""
        self._read_of: bytes | None = None
        self._shown: Shown | None = None
        """What the sequence parameter sets that were read say."""
        self._times: list[int] = []
        """Of the newest pictures that are shown last, rising."""
        self._reordered = 0
        """The most pictures that have come before one that is shown earlier."""
        self.form: CodedForm | None = None
        """Of the newest key picture; None before one has shown it."""
        if described:
            self._sets = self._found(described)

    def complete(self, data: bytes, time: int, *, is_key: bool, decoded: Size = (0, 0)) -> bytes | None:
        """The picture as it can be kept; None as long as nobody can tell how large pictures are.

        Args:
            data: the picture, of H.264 and H.265 in Annex B.
            time: when it is shown, in microseconds.
            is_key: decoding can begin with it.
            decoded: the size of what was decoded last, for codecs whose pictures do not say; 0: nothing was.
        """
        self._note(time)
        if is_key:
            data = self._with_sets(data)
            size, reorder = self._look(data, decoded)
            if not all(size):
                self.form = None
            elif self.form is None or self._of(size, reorder) != self.form:
                self.form = self._of(size, reorder)
        return None if self.form is None else data

    def hear(self, data: bytes) -> None:
        """A key picture that is not wanted: its parameter sets may not come again."""
        self._sets |= self._found(data)

    def _of(self, size: Size, reorder: int) -> CodedForm:
        return CodedForm(self._codec, *size, self._frame_rate, reorder, self._name())

    def _name(self) -> str:
        """Profile, constraints and level as the first sequence parameter set has them (ISO/IEC 14496-15, 5.4.2.1)."""
        first = self._sets.get(_SPS["h264"], b"")[len(START) :][1:4] if self._codec == "h264" else b""
        return f"avc1.{first.hex()}" if len(first) == 3 else ""

    def _note(self, time: int) -> None:
        """See whether it is shown before others that have come before it."""
        times = self._times
        if times and time < times[-1] - MICROSECONDS:
            times.clear()  # its clock was set back
        if times and time < times[-1]:
            self._reordered = max(self._reordered, sum(each > time for each in times))
        insort(times, time)
        if len(times) > LOOKED_BACK:
            del times[0]

    # ---- what a key picture says

    def _with_sets(self, data: bytes) -> bytes:
        if not self._kinds:
            return data
        found = self._found(data)
        lacking = b"".join(self._sets[kind] for kind in self._kinds if kind in self._sets and kind not in found)
        self._sets |= found
        return lacking + data

    def _look(self, data: bytes, decoded: Size) -> tuple[Size, int]:
        """The size of its pictures, 0 where nobody can tell, and how many may come before their turn."""
        if self._kinds:
            shown = self._read_sets()
            return ((0, 0), 0) if shown is None else ((shown.width, shown.height), self._reorder(shown))
        if self._codec == "mjpeg":
            return jpeg_size(data), 0
        if self._codec == "vp8":
            return vp8_size(data), 0
        return decoded, self._reordered

    def _reorder(self, shown: Shown) -> int:
        return min(LOOKED_BACK, self._reordered if shown.reorder is None else shown.reorder)

    def _read_sets(self) -> Shown | None:
        sps = self._sets.get(_SPS[self._codec])
        if sps != self._read_of:
            self._read_of, self._shown = sps, None
            for unit in (sps or b"").split(START):
                if unit and self._shown is None:
                    try:
                        self._shown = read_shown(self._codec, unit)
                    except Malformed:
                        continue
        return self._shown

    def _found(self, data: bytes) -> dict[int, bytes]:
        """The parameter sets in Annex B, by kind."""
        found: dict[int, bytes] = {}
        for kind, unit in _head(self._codec, data):
            if kind in self._kinds:
                found[kind] = found.get(kind, b"") + START + unit
        return found


def brings_sets(codec: str, data: bytes) -> bool:
    """Whether a key picture of H.264 or H.265, in Annex B, has all parameter sets with it that it needs."""
    kinds = _SETS.get(codec, {})
    return bool(kinds) and kinds.keys() <= {kind for kind, _ in _head(codec, data)}


def jpeg_size(data: bytes) -> Size:
    """The size of a JPEG, by its frame header (ITU-T T.81 B.2.2); 0 where there is none before its scan."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        elif marker == 0xDA:
            break
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 0, 0


def vp8_size(data: bytes) -> Size:
    """The size in a key frame of VP8 (RFC 6386 section 9.1); 0 where it is none."""
    if len(data) < 10 or data[3:6] != VP8_START:
        return 0, 0
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _head(codec: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Units of a picture up to its first slice, each with its kind (nal_unit_type)."""
    begin = data.find(SHORT_START)
    while begin >= 0 and begin + 3 < len(data):
        begin += len(SHORT_START)
        kind = data[begin] & 0x1F if codec == "h264" else data[begin] >> 1 & 0x3F
        if (1 <= kind <= 5) if codec == "h264" else kind < 32:
            return
        end = data.find(SHORT_START, begin)
        yield kind, data[begin : end if end >= 0 else len(data)].rstrip(b"\0")
        begin = end


_SETS: Mapping[str, Mapping[int, str]] = {
    "h264": {7: "SPS", 8: "PPS"},
    "hevc": {32: "VPS", 33: "SPS", 34: "PPS"},
}
"""Kinds of parameter sets (H.264 table 7-1, H.265 table 7-1), in the order they are said in."""
_SPS: Mapping[str, int] = {"h264": 7, "hevc": 33}
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that carry the picture's size."""
