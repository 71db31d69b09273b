"""streamer.rtp.jpeg: what is refused, and tables that are kept by number."""

import pytest

from streamer.rtp.jpeg import JpegReader
from streamer.rtp.packet import Malformed
from tests.peers.rtp_packetizer import jpeg_payloads, jpegs, quantization


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
        (b"\0\0\0\0\1\x50\0\4", "0 pixels"),
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
