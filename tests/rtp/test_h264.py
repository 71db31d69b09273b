"""streamer.rtp.h264: what a packet says of its picture, and what is refused by name."""

import pytest

from streamer.rtp.h264 import read_h264
from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload
from tests.peers.rtp_packetizer import annex_b, encoded, h264_payloads, units_of

SPS, PPS, SEI, IDR = units_of(encoded("libx264")[0])
[P] = units_of(encoded("libx264")[1])
RECOVERY_POINT = b"\x06\x06\x01\xc4\x80"
"""recovery_frame_cnt 0, exact_match_flag 1."""


@pytest.mark.parametrize(("kind", "name"), [(25, "STAP-B"), (26, "MTAP16"), (27, "MTAP24"), (29, "FU-B")])
def test_what_is_not_read_is_named(kind: int, name: str) -> None:
    """The kinds of packetization mode 2 are refused by name."""
    with pytest.raises(Malformed, match=name):
        read_h264(bytes((kind,)) + b"abcdef")


@pytest.mark.parametrize("payload", [b"\0abc", b"\x1eabc", b"\x1fabc", b"\x1c\x9eabc", b"\x1c\x1eabc", b"\0\0\1"])
def test_what_no_standard_defines_is_passed_over(payload: bytes) -> None:
    """A maker's own kinds, whole or in fragments, are no picture and no gap."""
    assert read_h264(payload) == Payload(b"", has_picture=False)


@pytest.mark.parametrize("start", [b"\0\0\1", b"\0\0\0\1"])
@pytest.mark.parametrize("unit", [SPS, IDR, P])
def test_a_start_code_that_was_left_in_is_taken_out(start: bytes, unit: bytes) -> None:
    """A payload that begins as Annex B is read as the unit behind its start code."""
    assert read_h264(start + unit) == read_h264(unit)


@pytest.mark.parametrize("rest", [b"\0", b"\7", b"\0\0"])
def test_a_byte_behind_an_aggregate_is_no_unit(rest: bytes) -> None:
    """What is too short for another unit is passed over."""
    aggregate = h264_payloads([SPS, PPS, IDR], "aggregates", 60_000)[0]
    assert read_h264(aggregate + rest) == read_h264(aggregate)


@pytest.mark.parametrize("payload", [b"\x1c", b"\x18\0\x09ab"])
def test_a_length_that_leads_out_is_refused(payload: bytes) -> None:
    """A fragment without its header, and an aggregate with a unit longer than itself, are malformed."""
    with pytest.raises(Malformed):
        read_h264(payload)


def test_a_key_picture_is_known() -> None:
    """An IDR slice is one, with parameter sets before it or without; parameter sets alone are none."""
    assert read_h264(IDR).entry is Entry.KEY
    assert read_h264(h264_payloads([SPS, PPS, IDR], "aggregates", 60_000)[0]).entry is Entry.KEY
    alone = read_h264(SPS)
    assert (alone.entry, alone.parameter_sets, alone.opens, alone.has_picture) == (Entry.NONE, True, True, False)


def test_only_its_first_slice_opens_a_picture() -> None:
    """A slice that does not begin with the first macroblock has others of its picture before it."""
    slices = [unit for unit in units_of(encoded("libx264", ":slices=4:sliced-threads=0")[0]) if unit[0] & 31 == 5]
    assert [read_h264(unit).opens for unit in slices] == [True, False, False, False]
    first, *others = h264_payloads([IDR], "fragments", 100)
    assert read_h264(first).opens
    assert not any(read_h264(other).opens for other in others)


def test_a_recovery_point_is_known() -> None:
    """The message says after how many pictures all is right, wherever among others it stands."""
    assert read_h264(RECOVERY_POINT).entry is Entry.POINT
    among = read_h264(b"\x06" + b"\x05\x02ab" + b"\x06\x02\x12\x80" + b"\x80")  # recovery_frame_cnt 8
    assert (among.entry, among.recovers_after) == (Entry.POINT, 8)
    assert read_h264(SEI).entry is Entry.NONE


def test_intra_slices_are_known() -> None:
    """An I slice that is no IDR may do to begin with; a P slice may not."""
    intra = read_h264(b"\x41\x88\x84\x00")  # first_mb_in_slice 0, slice_type 7
    assert (intra.entry, intra.predicted, intra.opens) == (Entry.INTRA, False, True)
    assert (read_h264(P).entry, read_h264(P).predicted) == (Entry.NONE, True)


@pytest.mark.parametrize("mtu", [60_000, 300, len(SPS) + len(PPS) + 5, len(SPS) + len(PPS) + 6])
def test_units_joined_by_start_codes_are_found(mtu: int) -> None:
    """Senders that put a whole picture behind its parameter sets, as one unit, are understood."""
    joined = SPS + annex_b([PPS, IDR])
    payloads = [read_h264(part) for part in h264_payloads([joined], "fragments", mtu)]
    assert b"".join(part.data for part in payloads) == annex_b([SPS, PPS, IDR])
    assert max(part.entry for part in payloads) is Entry.KEY
    assert any(part.has_picture for part in payloads)
