"""streamer.rtp.jpeg: what is refused, and tables that are kept by number."""

import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.jpeg import JpegReader
from streamer.rtp.packet import Malformed, read_packet
from tests.peers.rtp_packetizer import extended, jpeg_payloads, jpegs, quantization, rtp, segments


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"\0\0\0\0\1", "ends within its header"),
        (b"\0\0\0\0\2\x50\4\4", "type 2"),
        (b"\0\0\0\0\x80\x50\4\4", "type 128"),
        (b"\0\0\0\0\x41\x50\4\4\0", "restart marker header"),
        (b"\0\0\0\0\1\x64\4\4", "reserved"),
        (b"\0\0\0\0\1\0\4\4", "reserved"),
        (b"\0\0\0\0\1\xff\4\4\0\0\0\x80", "ends within its quantization tables"),
        (b"\0\0\0\0\1\xff\4\4\0\0\0\3abc", "no quantization tables"),
        (b"\0\0\0\0\1\xc8\4\4\0\0\0\0", "number 200, which were never sent"),
        (b"\0\0\0\0\1\x50\0\4", "beyond 2040 pixels"),
    ],
)
def test_what_is_not_read_is_said(payload: bytes, sentence: str) -> None:
    """A header that leads out of its packet, or asks for what does not exist, is refused with what it is."""
    with pytest.raises(Malformed, match=sentence):
        JpegReader()(payload)


def test_tables_are_kept_by_their_number() -> None:
    """Tables that were sent for a number are those of every later picture with that number."""
    read, first, second = JpegReader(), jpegs(30)[0], jpegs(90)[0]
    read(jpeg_payloads(first, 60_000, q=128)[0])
    read(jpeg_payloads(second, 60_000, q=129)[0])
    again = read(jpeg_payloads(first, 60_000, q=128, tables=False)[0])
    assert quantization(again.data + b"\xff\xd9") == quantization(first)


def test_only_the_first_packet_has_headers() -> None:
    """The others are parts of the scan; each first one begins a picture that needs no other."""
    read = JpegReader()
    first, *others = (read(part) for part in jpeg_payloads(jpegs(50)[0], 500, q=50))
    assert first.data.startswith(b"\xff\xd8")
    assert first.opens
    assert not any(other.opens for other in others)
    assert jpegs(50)[0].endswith(b"".join(other.data for other in others) + b"\xff\xd9")


def picture_of(payloads: list[bytes], read: JpegReader) -> bytes:
    """What is put together of one picture's payloads."""
    return b"".join(read(payload).data for payload in payloads) + b"\xff\xd9"


def pixels(picture: bytes) -> cv2.typing.MatLike:
    """A JPEG picture decoded."""
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


@pytest.mark.parametrize("kinds", [(0xC0,), (0xC0, 0xDB), (0xC0, 0xC4, 0xDB)])
def test_a_size_beyond_2040_stands_in_a_header_extension(kinds: tuple[int, ...]) -> None:
    """As ONVIF has it: the segment of the frame there is taken, and those of tables; for that picture only."""
    picture, read = jpegs(80)[0], JpegReader()
    first, *others = jpeg_payloads(picture, 500, q=255, sized=False)
    packet = read_packet(extended(rtp(first, 0, 0), segments(picture, *kinds)))
    read.extend(packet.extension)
    got = picture_of([packet.payload, *others], read)
    assert np.array_equal(pixels(got), pixels(picture))
    assert read.size == (192, 160)
    with pytest.raises(Malformed, match="beyond 2040 pixels"):
        read(first)


def test_a_size_beyond_2040_stands_in_the_sdp() -> None:
    """Where no packet has it the description's is taken; a packet that has one is believed first."""
    picture, read = jpegs(80)[0], JpegReader({"x-dimensions": "192,160"})
    assert np.array_equal(pixels(picture_of(jpeg_payloads(picture, 500, q=255, sized=False), read)), pixels(picture))
    read = JpegReader({"x-dimensions": "5000,5000"})
    read(jpeg_payloads(picture, 60_000, q=255)[0])
    assert read.size == (192, 160)


@pytest.mark.parametrize("text", ["", "0,0", "192", "192,160,3", "70000,70000", "-1,5", "a,b", "192x160"])
def test_a_size_that_is_none_is_not_taken(text: str) -> None:
    """Two numbers of 16 bits, neither of them 0, are a size."""
    with pytest.raises(Malformed, match="beyond 2040 pixels"):
        JpegReader({"x-dimensions": text})(jpeg_payloads(jpegs(80)[0], 60_000, q=255, sized=False)[0])


@given(st.binary(max_size=200), st.integers(0, 200))
def test_whatever_stands_in_an_extension_is_survived(noise: bytes, cut: int) -> None:
    """Segments cut short, or that are none, are passed over, or the picture refused."""
    picture = jpegs(80)[0]
    first = jpeg_payloads(picture, 500, q=255, sized=False)[0]
    for extension in (noise, segments(picture, 0xC0, 0xC4, 0xDB)[:cut] + noise):
        read = JpegReader()
        read.extend(extension)
        with contextlib.suppress(Malformed):
            read(first)
