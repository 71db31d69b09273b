"""streamer.rtp.sequence: what parameter sets claim, read before anything is decoded."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed
from streamer.rtp.sequence import MOST, Sequence, read, sets
from tests.peers.crafted import Writer, h264_sets, h265_sps
from tests.peers.rtp_packetizer import encoded

SIZES = st.integers(1, 1024).map(lambda blocks: 16 * blocks)


@pytest.mark.parametrize(
    ("encoder", "codec", "more", "held"),
    [
        ("libx264", "h264", "", 2),
        ("libx264", "h264", ":ref=5:bframes=0", 6),
        ("libx264", "h264", ":cqm=jvt", 2),
        ("libx265", "hevc", "", 3),
    ],
)
def test_what_encoders_write_is_read(encoder: Literal["libx264", "libx265"], codec: str, more: str, held: int) -> None:
    """Sets of real encoders claim their size and what they hold, wherever in a picture they are."""
    picture = encoded(encoder, more)[0]
    assert set(read(codec, sets(codec, picture[len(picture) // 2 :] + picture))) == {Sequence(192, 160, held)}


@given(SIZES, SIZES, st.integers(0, 16))
def test_any_size_of_h264_is_read(width: int, height: int, kept: int) -> None:
    """Size and number are those that were written; what is cut off when it is shown changes nothing."""
    sps, _ = h264_sets(width, height, kept=kept, shown=(2, 2))
    assert set(read("h264", [sps])) == {Sequence(width, height, kept + 1)}


@given(SIZES, SIZES, st.integers(1, 16), st.integers(0, 6))
def test_any_size_of_h265_is_read(width: int, height: int, held: int, layers: int) -> None:
    """Size and number are those that were written, of the temporal layer that holds most."""
    assert read("hevc", [h265_sps(width, height, held=held, layers=layers)]) == [Sequence(width, height, held)]


def test_scaling_lists_and_order_counts_are_passed() -> None:
    """Lists written at length, cut short or left out, and an order count of kind 1, stand before the size."""
    sps = Writer().put(244, 8).put(0, 8).put(62, 8).unsigned(0, 3).put(0, 1).unsigned(0, 0).put(0b01, 2)
    for number in range(12):
        sps.put(number != 1, 1)
        if number != 1:
            size = 16 if number < 6 else 64
            sps.signed(*([-8] if number == 2 else [1] * size))
    sps.unsigned(0, 1).put(0, 1).signed(-3, 4).unsigned(2).signed(-1, 1)
    sps.unsigned(4).put(0, 1).unsigned(9, 4).put(0, 1)
    assert read("h264", [b"\x67" + sps.escaped()]) == [Sequence(160, 160, 5)]


def test_what_was_never_escaped_is_read_too() -> None:
    """FFmpeg reads a set of H.264 without taking escapes out where it makes no sense with: both readings count."""
    order = Writer().put(66, 8).put(0, 8).put(62, 8).unsigned(0, 0, 1).put(0, 1).signed(0, 0).unsigned(2)
    order.signed((1 << 27) - 1, 3 << 8).unsigned(1).put(0, 1).unsigned(255, 255).put(0b110, 3)
    written = order.payload()
    assert b"\0\0\3" in written
    assert Sequence(4096, 4096, 2) in read("h264", [b"\x67" + written])


@given(st.binary(max_size=200))
def test_what_is_no_set_claims_nothing_or_something(data: bytes) -> None:
    """Whatever stands in a set, at the worst it is passed over."""
    assert len(read("h264", [b"\x67" + data])) <= 2
    assert len(read("hevc", [b"\x42\1" + data])) <= 1


def test_what_ends_goes_on_with_zeros() -> None:
    """A set that is cut off behind its size claims it: decoders take one that ends."""
    sps, _ = h264_sets(4096, 2304)
    cut = sps[:-1]
    assert read("h264", [cut])[0].width == 4096


def test_a_set_that_hides_its_size_is_refused() -> None:
    """One that is longer than is looked at without coming to its size is malformed: a decoder would go on."""
    sps = Writer().put(66, 8).put(0, 8).put(62, 8).unsigned(0, 0, 1).put(0, 1).signed(0, 0).unsigned(255)
    sps.signed(*[-(1 << 29)] * 255).unsigned(1).put(0, 1).unsigned(255, 255).put(0b110, 3)
    with pytest.raises(Malformed, match="without a size"):
        read("h264", [b"\x67" + sps.escaped()])


def test_more_sets_than_any_picture_has_are_refused() -> None:
    """A picture with one set more than that is malformed, whether they can be read or not."""
    sps, _ = h264_sets(64, 64)
    assert len(read("h264", [sps] * MOST)) == MOST
    with pytest.raises(Malformed, match=f"more than {MOST} "):
        read("h264", [b"\x67"] * (MOST + 1))


def test_other_codecs_have_none() -> None:
    """Nothing is looked for in what neither H.264 nor H.265 is."""
    assert list(sets("mjpeg", b"\0\0\1\x67\x42\0\x1e\xff")) == []
