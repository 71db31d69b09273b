"""streamer.source.boxes: segments of HLS that are MP4 are judged before FFmpeg has them."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.boxes import Boxes
from streamer.source.mp4 import Fragments
from streamer.values.errors import SourceError
from tests.source.test_mp4 import HEAD, HOSTILE, REST, box, movie, run, track

INIT = HEAD + movie(track())
PART = box(b"styp", b"msdh") + box(b"moof", box(b"traf", run(100))) + REST
PACKETS = (b"\x47\x40\x00\x10" + bytes(184)) * 20


def read(data: bytes, sizes: list[int], fragments: Fragments | None = None) -> bytes:
    """What FFmpeg gets of a part, asking for so much at a time, then for the rest."""
    boxes, got = Boxes(io.BytesIO(data), fragments or Fragments()), b""
    for size in sizes:
        got += boxes.read(size)
    while more := boxes.read(1 << 16):
        got += more
    return got


@pytest.mark.parametrize("data", [INIT, PART, INIT + PART + PART, PACKETS, b""])
@given(st.lists(st.integers(1, 3000), max_size=10))
def test_the_bytes_are_the_servers(data: bytes, sizes: list[int]) -> None:
    """An honest part comes through byte for byte, MP4 or MPEG-TS, whatever the sizes asked for."""
    assert read(data, sizes) == data


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("before", [b"", HEAD, PART])
def test_what_cannot_be_is_refused(case: str, before: bytes) -> None:
    """No index that claims what cannot be reaches FFmpeg, wherever in a part it stands."""
    with pytest.raises(SourceError, match="the MP4"):
        read(before + HOSTILE[case], [])


def test_parts_are_judged_together() -> None:
    """Fragments that claim more samples than there are bytes are refused, however they are spread over parts."""
    fragments, part = Fragments(), box(b"moof", box(b"traf", run(2_000)))
    with pytest.raises(SourceError, match="claims"):
        read(b"", [], fragments) or [read(part, [], fragments) for _ in range(100)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x47\x00\x10\x00moov" + bytes(100), "index of"),
        (box(b"moof", run(1))[:-3], "ends within an index"),
        (REST[:-1], "ends within a box"),
        (struct.pack(">I4s", 0, b"mdat") + bytes(100), "without an end"),
        (struct.pack(">I4s", 7, b"free"), "without an end"),
        (bytes(200), "neither MPEG-TS nor MP4"),
        (b"\xff\xf1\x50\x80" + bytes(200), "neither MPEG-TS nor MP4"),
    ],
)
def test_what_is_no_part_is_said(data: bytes, said: str) -> None:
    """A part whose boxes do not end with it, or that is something else, is refused in a sentence."""
    with pytest.raises(SourceError, match=said):
        read(data, [])
