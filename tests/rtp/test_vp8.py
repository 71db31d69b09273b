"""streamer.rtp.vp8: descriptors of every length, as aiortc writes and reads them."""

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry
from streamer.rtp.vp8 import read_vp8


@given(
    st.integers(0, 1),
    st.integers(0, 15),
    st.none() | st.integers(0, 0x7FFF),
    st.none() | st.integers(0, 255),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    st.none() | st.integers(0, 31),
    st.binary(min_size=1, max_size=9),
)
def test_a_descriptor_is_passed_over(
    start: int,
    partition: int,
    picture: int | None,
    index: int | None,
    layer: tuple[int, int] | None,
    key: int | None,
    data: bytes,
) -> None:
    """What follows the descriptor is the frame's; its first byte says whether it is a key frame's."""
    descriptor = VpxPayloadDescriptor(start, partition, picture, index, layer, key)
    found = read_vp8(bytes(descriptor) + data)
    opens = bool(start) and partition == 0
    assert (found.data, found.opens) == (data, opens)
    assert (found.entry is Entry.KEY) == (opens and not data[0] & 1)


@given(st.binary(max_size=6))
def test_noise_is_refused(payload: bytes) -> None:
    """Whatever bytes come, aiortc and this agree on whether they are a descriptor, and on what follows."""
    try:
        found = read_vp8(payload)
    except Malformed:
        with pytest.raises(ValueError, match="descriptor"):
            VpxPayloadDescriptor.parse(payload)
        return
    if payload:
        assert VpxPayloadDescriptor.parse(payload)[1] == found.data
