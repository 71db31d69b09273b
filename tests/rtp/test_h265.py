"""streamer.rtp.h265: what a packet says of its picture, and what is refused by name."""

import pytest

from streamer.rtp.h265 import read_h265
from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload
from tests.peers.rtp_packetizer import START, encoded, h265_payloads, units_of

VPS, SPS, PPS, *_, IDR = units_of(encoded("libx265")[0])
P = units_of(encoded("libx265")[1])[-1]


def test_what_is_not_read_is_named() -> None:
    """PACI is refused by name."""
    with pytest.raises(Malformed, match="PACI"):
        read_h265(bytes((50 << 1, 1)) + b"abcdef")


@pytest.mark.parametrize("kind", [51, 63])
def test_what_no_standard_defines_is_passed_over(kind: int) -> None:
    """A maker's own kinds are no picture and no gap."""
    assert read_h265(bytes((kind << 1, 1)) + b"abcdef") == Payload(b"", has_picture=False)


@pytest.mark.parametrize("unit", [b"\x48\1", b"\x4a\1"])
def test_the_end_of_a_sequence_is_no_picture(unit: bytes) -> None:
    """End of sequence and end of bitstream have a header and nothing else, and go to the decoder as they are."""
    assert read_h265(unit) == Payload(START + unit, has_picture=False)


@pytest.mark.parametrize("start", [b"\0\0\1", b"\0\0\0\1"])
@pytest.mark.parametrize("unit", [VPS, IDR, P])
def test_a_start_code_that_was_left_in_is_taken_out(start: bytes, unit: bytes) -> None:
    """A payload that begins as Annex B is read as the unit behind its start code."""
    assert read_h265(start + unit) == read_h265(unit)


@pytest.mark.parametrize("rest", [b"\0", b"\7", b"\0\0"])
def test_a_byte_behind_an_aggregate_is_no_unit(rest: bytes) -> None:
    """What is too short for another unit is passed over."""
    aggregate = h265_payloads([VPS, SPS, PPS], "aggregates", 60_000)[0]
    assert read_h265(aggregate + rest) == read_h265(aggregate)


@pytest.mark.parametrize("payload", [b"\x40", b"\x62\1", b"\x60\1\0\x09ab"])
def test_a_length_that_leads_out_is_refused(payload: bytes) -> None:
    """A packet without its header, and an aggregate with a unit longer than itself, are malformed."""
    with pytest.raises(Malformed):
        read_h265(payload)


def test_a_key_picture_is_known() -> None:
    """An IRAP slice is one; parameter sets alone are none; a P slice is none, and says so."""
    assert read_h265(IDR).entry is Entry.KEY
    alone = read_h265(VPS)
    assert (alone.entry, alone.parameter_sets, alone.opens, alone.has_picture) == (Entry.NONE, True, True, False)
    assert (read_h265(P).entry, read_h265(P).predicted) == (Entry.NONE, True)
    assert (read_h265(IDR).opens, read_h265(PPS).opens, read_h265(SPS).parameter_sets) == (True, True, True)


def test_only_its_first_slice_opens_a_picture() -> None:
    """A segment without first_slice_segment_in_pic_flag, and a fragment that is not the first, have others before."""
    assert not read_h265(IDR[:2] + bytes((IDR[2] & 0x7F,)) + IDR[3:]).opens
    assert [read_h265(part).opens for part in h265_payloads([IDR], "fragments", 200)][:2] == [True, False]


def test_a_recovery_point_is_known() -> None:
    """The message says after how many pictures all is right."""
    point = read_h265(b"\x4e\1\x06\x02\x24\x80\x80")  # recovery_poc_cnt 2
    assert (point.entry, point.recovers_after) == (Entry.POINT, 2)


def test_an_intra_slice_is_known() -> None:
    """An I slice that is no IRAP may do to begin with."""
    intra = read_h265(b"\x02\1\xd8\x00")  # first segment, PPS 0, slice_type 2
    assert (intra.entry, intra.predicted) == (Entry.INTRA, False)
