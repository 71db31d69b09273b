"""streamer.rtp.packet: every field of a packet, and every length that leads out of it."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed, Packet, is_report, read_packet
from tests.peers.rtp_packetizer import rtp


@given(
    st.binary(max_size=50),
    st.integers(0, 15),
    st.none() | st.integers(0, 5),
    st.integers(0, 9),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF_FFFF),
    st.booleans(),
)
def test_a_packet_is_read(
    payload: bytes, sources: int, extension: int | None, padding: int, number: int, time: int, marker: bool
) -> None:
    """Contributing sources, an extension and padding are passed over; what is left is the payload."""
    first = 0x80 | bool(padding) << 5 | (extension is not None) << 4 | sources
    data = struct.pack("!BBHII", first, marker << 7 | 97, number, time, 5) + bytes(4 * sources)
    if extension is not None:
        data += struct.pack("!HH", 0xBEDE, extension) + bytes(4 * extension)
    data += payload + bytes(max(0, padding - 1)) + bytes((padding,) * bool(padding))
    for given_as in (bytes, bytearray, memoryview):
        assert read_packet(given_as(data)) == Packet(97, marker, number, time, 5, payload)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda data: data[:11], "11 bytes are no RTP packet"),
        (lambda data: b"\x40" + data[1:], "version 1"),
        (lambda data: b"\x8f" + data[1:], "shorter than its sources"),
        (lambda data: b"\x90" + data[1:12], "ends before its header extension"),
        (lambda data: b"\x90" + data[1:12] + b"\0\0\xff\xff", "shorter than its sources, extension"),
        (lambda data: b"\xa0" + data[1:12] + b"\xff", "padding"),
    ],
)
def test_a_length_that_leads_out_is_refused(spoil: Callable[[bytes], bytes], sentence: str) -> None:
    """What a packet says of itself is checked, and the sentence says what was wrong."""
    with pytest.raises(Malformed, match=sentence):
        read_packet(spoil(rtp(b"abcd", 1, 2)))


def test_padding_of_no_bytes_is_none() -> None:
    """The bit for padding is believed as far as the last byte bears it out."""
    data = rtp(b"abc\0", 1, 2)
    assert read_packet(b"\xa0" + data[1:]).payload == b"abc\0"


@given(st.binary(max_size=100))
def test_noise_is_refused(data: bytes) -> None:
    """Whatever bytes come, they are a packet within their own bounds, or Malformed."""
    try:
        packet = read_packet(data)
    except Malformed:
        return
    assert packet.payload in data


def test_reports_are_told_from_packets() -> None:
    """On one port RTCP is known by its second byte."""
    assert is_report(b"\x80\xc8")
    assert not is_report(rtp(b"", 0, 0, marker=True, kind=127))
    assert not is_report(b"")
