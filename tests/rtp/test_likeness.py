"""streamer.rtp.likeness: a codec is known by its payloads, and no other is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.likeness import is_h264, is_h265, is_transport_stream
from tests.peers.rtp_packetizer import Mode, encoded, h264_payloads, h265_payloads, units_of

MODES: tuple[Mode, ...] = ("single", "fragments", "aggregates")


@pytest.mark.parametrize("more", ["", ":aud=1", ":slices=4"])
@pytest.mark.parametrize("mode", MODES)
def test_a_codec_is_known_however_it_is_cut(mode: Mode, more: str) -> None:
    """Every payload of H.264 is like H.264, a delimiter of two bytes too; not all are like H.265; and vice versa."""
    units = [units_of(unit) for unit in encoded("libx264", more)]
    payloads = [payload for each in units for payload in h264_payloads(each, mode, 400)]
    assert all(map(is_h264, payloads))
    assert not all(map(is_h265, payloads))
    # Not in slices: for pictures this small libx265 writes where it must not, and later something else fails for it.
    units = [units_of(unit) for unit in encoded("libx265", more if more != ":slices=4" else "")]
    payloads = [payload for each in units for payload in h265_payloads(each, mode, 400)]
    assert all(map(is_h265, payloads))
    assert not all(map(is_h264, payloads))


def test_packets_of_mpeg_ts_are_known() -> None:
    """Seven packets in one payload, and one; not with a byte more, nor none."""
    packet = b"\x47" + bytes(187)
    assert is_transport_stream(7 * packet)
    assert is_transport_stream(packet)
    assert not any(map(is_transport_stream, (b"", packet + b"\x47", packet + bytes(188))))


@given(st.binary(max_size=64))
def test_whatever_comes_is_judged(payload: bytes) -> None:
    """Any bytes are like a codec or not."""
    for judge in (is_h264, is_h265, is_transport_stream):
        assert judge(payload) in (True, False)
