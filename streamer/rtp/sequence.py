"""What H.264 and H.265 claim of a sequence: how large its pictures are, and how many have to be held.

Pure. Read as FFmpeg's decoders read it, which are lenient: what one of them might make something of counts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from streamer.rtp.bits import Bits
from streamer.rtp.h264 import SPS as H264_SPS
from streamer.rtp.h264 import START
from streamer.rtp.h265 import SPS as H265_SPS
from streamer.rtp.packet import Malformed

SHORT_START = START[1:]
ESCAPE = b"\0\0\3"
"""Emulation prevention (clause 7.4.1)."""
MOST = 16
"""Sequence parameter sets with one picture: encoders write one, some streams a few. H.265 has numbers for as many."""
LONGEST = 512
"""Bytes in which a set has to come to its size: before H.264's there may be twelve scaling lists, written at length."""
ZEROS = bytes(8)
"""What a decoder reads behind the end."""
PADDING = 31
"""Pixels by which a picture may be wider or higher than what is shown of it: 1080 lines are coded as 1088."""
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 144})
"""Those whose sets have more fields (clause 7.3.2.1.1), as FFmpeg has them: it is what will read them."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """What one sequence parameter set claims."""

    width: int
    """Pixels, before anything is cropped: that is what is decoded."""
    height: int
    held: int
    """Pictures there are at once: the one that is decoded, and those that are kept for it and for later."""

    @property
    def shown(self) -> int:
        """Pixels that are shown of each at the least, if it is honest."""
        return max(1, self.width - PADDING) * max(1, self.height - PADDING)


def read(codec: str, units: Iterable[bytes]) -> list[Sequence]:
    """What those of some units claim that are sequence parameter sets; what cannot be read claims nothing.

    Args:
        codec: FFmpeg's name; only "h264" and "hevc" have such sets.
        units: without start codes or lengths.

    Raises:
        Malformed: there are more sets than a picture has use for, or one is longer than any.
    """
    found: list[Sequence] = []
    for number, unit in enumerate(unit for unit in units if _is_set(codec, unit)):
        if number == MOST:
            raise Malformed(f"more than {MOST} sequence parameter sets with one picture")
        for written in _readings(codec, unit):
            try:
                found.append(_READERS[codec](written))
            except Malformed:
                if len(unit) >= LONGEST:
                    raise Malformed(f"a sequence parameter set of {LONGEST} bytes without a size") from None
    return found


def sets(codec: str, data: bytes) -> Iterator[bytes]:
    """The sequence parameter sets in Annex B, whatever else is in it, each as far as it is looked at."""
    if codec in _STARTS:
        for found in _STARTS[codec].finditer(data):
            begin = found.start() + len(SHORT_START)
            yield data[begin : begin + LONGEST].partition(SHORT_START)[0]


def read_h264_sequence(unit: bytes) -> Sequence:
    """Read an SPS of H.264, header included (clause 7.3.2.1.1).

    Raises:
        Malformed: it ends before the size.
    """
    bits = Bits(unit[1:LONGEST] + ZEROS, 2 * LONGEST)
    profile = bits.take(24) >> 16
    bits.unsigned()  # seq_parameter_set_id
    if profile in HIGH_PROFILES:
        pass_high_profile(bits)
    bits.unsigned()  # log2_max_frame_num
    pass_order_count(bits)
    kept = bits.unsigned()  # max_num_ref_frames
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    width, height = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
    frames_only = bits.take(1)
    return Sequence(width, height * (2 - frames_only), kept + 1)


def read_h265_sequence(unit: bytes) -> Sequence:
    """Read an SPS of H.265, header included (clause 7.3.2.2.1).

    Raises:
        Malformed: it ends before the pictures that are kept.
    """
    bits = Bits(unit[2:LONGEST] + ZEROS, 2 * LONGEST)
    bits.take(4)  # sps_video_parameter_set_id
    layers = bits.take(3)
    bits.take(1)
    pass_profile(bits, layers)
    bits.unsigned()  # sps_seq_parameter_set_id
    if bits.unsigned() == 3:  # chroma_format_idc
        bits.take(1)
    width, height = bits.unsigned(), bits.unsigned()
    if bits.take(1):  # conformance_window_flag
        pass_numbers(bits, 4)
    pass_numbers(bits, 3)  # bit depths, log2_max_pic_order_cnt_lsb
    held = 0
    for _ in range(layers + 1 if bits.take(1) else 1):
        held = max(held, bits.unsigned() + 1)  # sps_max_dec_pic_buffering
        pass_numbers(bits, 2)
    return Sequence(width, height, held)


def pass_high_profile(bits: Bits) -> int:
    """What sets of those profiles have more; gives chroma_format_idc."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    pass_numbers(bits, 2)  # bit depths
    bits.take(1)
    if bits.take(1):  # seq_scaling_matrix_present_flag
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _pass_scaling_list(bits, 16 if number < 6 else 64)
    return chroma


def _pass_scaling_list(bits: Bits, size: int) -> None:
    """Clause 7.3.2.1.1.1: entries as differences, until one says that there are no more."""
    last = 8
    for _ in range(size):
        last = last + bits.signed() & 0xFF
        if not last:
            return


def pass_order_count(bits: Bits) -> int:
    """How pictures are put in order; gives pic_order_cnt_type."""
    kind = bits.unsigned()  # pic_order_cnt_type
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        pass_numbers(bits, 2)
        pass_numbers(bits, bits.unsigned())
    return kind


def pass_profile(bits: Bits, layers: int) -> None:
    """profile_tier_level (clause 7.3.3), with what it says of each layer but the highest."""
    bits.take(96)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)


def pass_numbers(bits: Bits, count: int) -> None:
    """So many ue(v)."""
    for _ in range(count):
        bits.unsigned()


def _is_set(codec: str, unit: bytes) -> bool:
    if codec == "h264":
        return unit[:1] != b"" and unit[0] & 0x1F == H264_SPS
    return codec == "hevc" and unit[:1] == bytes((H265_SPS << 1,))


def _readings(codec: str, unit: bytes) -> tuple[bytes, ...]:
    """A set of H.264 that makes no sense is read again by FFmpeg as one that was never escaped."""
    if codec == "h264" and ESCAPE in unit:
        return unit, unit.replace(ESCAPE, ESCAPE + b"\3")
    return (unit,)


_READERS: Mapping[str, Callable[[bytes], Sequence]] = {"h264": read_h264_sequence, "hevc": read_h265_sequence}
_STARTS: Mapping[str, re.Pattern[bytes]] = {
    "h264": re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67]"),
    "hevc": re.compile(rb"\x00\x00\x01\x42"),
}
"""What an SPS begins with, of H.264 whatever its importance (nal_ref_idc). Looked for in one go: 6 µs of a picture."""
