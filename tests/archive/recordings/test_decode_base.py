"""streamer.archive.recordings.decode_base: fragments moved in time."""

import io
from pathlib import Path

import av
import pytest

from streamer.archive.recordings.decode_base import moved, timescales
from tests.peers.recorded import path_of, record

NOON = 1_764_417_600.0


@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_packet_comes_so_much_later(tmp_path: Path, b_frames: int) -> None:
    """By UTC too, to the microsecond of its track's clock; nothing else of it changes."""
    segment = record(tmp_path, NOON, b_frames=b_frames, seconds=2)
    data = path_of(tmp_path, "a", NOON, segment.id).read_bytes()
    fragment = segment.fragments[2]
    before = data[fragment.offset : fragment.offset + fragment.size]
    scales = timescales(segment.init)
    assert list(scales) == [1]
    after = moved(before, scales, round(NOON * 1e6))
    assert len(after) == len(before)
    was, now = packets(segment.init + before), packets(segment.init + after)
    by = round(NOON) * scales[1]
    assert now == [(pts + by, dts + by, content) for pts, dts, content in was]


def test_what_is_no_fragment_is_refused() -> None:
    """ValueError, for what is broken and for what another muxer wrote."""
    with pytest.raises(ValueError, match="a box of 3 bytes"):
        moved(b"\0\0\0\3moof", {}, 1)
    with pytest.raises(ValueError, match="unpack"):
        timescales(b"\0\0\0\x10moov\0\0\0\x08trak")


def packets(data: bytes) -> list[tuple[int, int, bytes]]:
    """Of a file: when each is shown and decoded, and what it is."""
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        return [(each.pts or 0, each.dts or 0, bytes(each)) for each in container.demux(video=0) if each.size]
