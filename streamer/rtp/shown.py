"""What H.264 and H.265 say of how a sequence is shown: its size once cropped, and how far it is reordered. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamer.rtp.bits import Bits
from streamer.rtp.sequence import (
    HIGH_PROFILES,
    LONGEST,
    ZEROS,
    pass_high_profile,
    pass_numbers,
    pass_order_count,
    pass_profile,
)

BASELINE = 66
"""The profile of H.264 without B-pictures (clause A.2.1)."""
EXTENDED_SAR = 255
"""aspect_ratio_idc that is followed by the ratio itself (table E-1)."""
STRIDES: Mapping[int, tuple[int, int]] = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
"""Pixels that a step of cropping is, across and down, by chroma_format_idc (table 6-1)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one sequence parameter set says."""

    width: int
    """Pixels, after it is cropped."""
    height: int
    reorder: int | None
    """Pictures that may come before one that is shown earlier; None: it does not say."""


def read_shown(codec: str, unit: bytes) -> Shown:
    """Read a sequence parameter set, header included.

    Args:
        codec: FFmpeg's name, "h264" or "hevc".
        unit: without its start code.

    Raises:
        Malformed: it ends before it has said.
    """
    return _READERS[codec](unit)


def _read_h264(unit: bytes) -> Shown:
    """Clause 7.3.2.1.1."""
    bits = Bits(unit[1:LONGEST] + ZEROS, 2 * LONGEST)
    profile = bits.take(24) >> 16
    bits.unsigned()  # seq_parameter_set_id
    chroma = pass_high_profile(bits) if profile in HIGH_PROFILES else 1
    bits.unsigned()  # log2_max_frame_num
    order = pass_order_count(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    width, height = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
    fields = 2 - bits.take(1)  # frame_mbs_only_flag
    if fields == 2:
        bits.take(1)
    bits.take(1)  # direct_8x8_inference_flag
    left, right, top, bottom = _cropping(bits)
    across, down = STRIDES.get(chroma, (1, 1))
    said = _said_reordering(bits) if bits.take(1) else None  # vui_parameters_present_flag
    none = profile == BASELINE or order == 2  # whose order is that of decoding (clause 8.2.1.3)
    return Shown(
        width - across * (left + right),
        fields * (height - down * (top + bottom)),
        0 if none else said,
    )


def _read_h265(unit: bytes) -> Shown:
    """Clause 7.3.2.2.1."""
    bits = Bits(unit[2:LONGEST] + ZEROS, 2 * LONGEST)
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    pass_profile(bits, layers)
    bits.unsigned()  # sps_seq_parameter_set_id
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    width, height = bits.unsigned(), bits.unsigned()
    left, right, top, bottom = _cropping(bits)  # conformance_window
    across, down = STRIDES.get(chroma, (1, 1))
    pass_numbers(bits, 3)
    reorder = 0
    for _ in range(layers + 1 if bits.take(1) else 1):
        bits.unsigned()  # sps_max_dec_pic_buffering
        reorder = bits.unsigned()  # sps_max_num_reorder_pics, of the highest layer last
        bits.unsigned()
    return Shown(width - across * (left + right), height - down * (top + bottom), reorder)


def _cropping(bits: Bits) -> tuple[int, int, int, int]:
    """Steps that are cut off at the left, right, top and bottom."""
    if not bits.take(1):
        return 0, 0, 0, 0
    return bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()


def _said_reordering(bits: Bits) -> int | None:
    """max_num_reorder_frames, last but one of the usability information of H.264 (clause E.1.1)."""
    if bits.take(1) and bits.take(8) == EXTENDED_SAR:
        bits.take(32)
    if bits.take(1):  # overscan_info_present_flag
        bits.take(1)
    if bits.take(1):  # video_signal_type_present_flag
        bits.take(4)
        if bits.take(1):
            bits.take(24)
    if bits.take(1):  # chroma_loc_info_present_flag
        pass_numbers(bits, 2)
    if bits.take(1):  # timing_info_present_flag
        bits.take(65)
    has_buffers = [_pass_buffers(bits) for _ in range(2)]
    if any(has_buffers):
        bits.take(1)  # low_delay_hrd_flag
    bits.take(1)  # pic_struct_present_flag
    if not bits.take(1):  # bitstream_restriction_flag
        return None
    bits.take(1)
    pass_numbers(bits, 4)
    return bits.unsigned()


def _pass_buffers(bits: Bits) -> bool:
    """The parameters of a hypothetical decoder's buffers, should there be any (clause E.1.2)."""
    if not bits.take(1):
        return False
    count = bits.unsigned() + 1
    bits.take(8)
    for _ in range(count):
        pass_numbers(bits, 2)
        bits.take(1)
    bits.take(20)
    return True


_READERS: Mapping[str, Callable[[bytes], Shown]] = {"h264": _read_h264, "hevc": _read_h265}
