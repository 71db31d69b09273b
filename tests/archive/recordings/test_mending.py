"""Files that were cut off anywhere at all play up to their last whole second."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive.recordings.mending import PART, mend
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_file import SegmentFile
from tests.archive.recordings.coded import FPS, STEP, numbers_in, times_in
from tests.archive.recordings.conftest import Coded

NOON = 1_790_000_000.0
KINDS = ("h264", "b-frames", "hevc", "mjpeg")


def begun(kind: str) -> Segment:
    """What the index knows of one that is being written."""
    codec = {"b-frames": "h264"}.get(kind, kind)
    return Segment("id", "gate", NOON, None, codec, "", 160, 120, 0, 0, 7, None, False, False, b"", ())


def file_of(kind: str, coded: Coded, path: Path, *, ended: bool) -> tuple[bytes, list[int]]:
    """The bytes of one with four seconds, and where each ends; while it is not ended, three of them are on disk."""
    pictures = coded(kind)
    file = SegmentFile(path, pictures[0], reorder=pictures[0].form.reorder, step=STEP)
    for picture in pictures:
        file.put(picture)
        file.flush()
    data = path.read_bytes()
    if ended:
        file.close()
        data = path.read_bytes()
    else:
        file.cut()
    return data, [each.offset + each.size for each in file.fragments]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_never_ended_plays_and_has_an_index(kind: str, coded: Coded, tmp_path: Path) -> None:
    """A killed service's file becomes one with an index; every picture on disk is in it, at its own time."""
    path = tmp_path / "a.mp4"
    path.write_bytes(file_of(kind, coded, tmp_path / "first.mp4", ended=False)[0])
    mended = mend(path, begun(kind))
    assert mended is not None
    assert numbers_in(path) == list(range(3 * FPS))
    assert times_in(path) == [number * STEP for number in range(3 * FPS)]
    assert (mended.pictures, mended.size, len(mended.fragments)) == (3 * FPS, path.stat().st_size, 3)
    assert (mended.first_time, mended.ended_at) == (7, NOON + 3)
    assert path.read_bytes().rfind(b"moov") > mended.fragments[-1].offset
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_ended_is_not_touched(kind: str, coded: Coded, tmp_path: Path) -> None:
    """A file that lacks nothing but its row is read, and stays the same to the byte."""
    path = tmp_path / "a.mp4"
    data, _ = file_of(kind, coded, path, ended=True)
    mended = mend(path, replace(begun(kind), codec="", width=0, height=0))
    assert mended is not None
    assert path.read_bytes() == data
    assert (mended.codec, mended.width, mended.height) == (begun(kind).codec, 160, 120)
    assert (mended.pictures, len(mended.fragments), mended.ended_at) == (4 * FPS, 4, NOON + 4)


@pytest.mark.parametrize("ended", [False, True])
def test_wherever_it_is_cut(ended: bool, coded: Coded, tmp_path: Path) -> None:
    """Cut at any byte, all whole seconds before it are there, or nothing where there is none; twice is as once."""
    path = tmp_path / "a.mp4"
    data, ends = file_of("h264", coded, tmp_path / "first.mp4", ended=ended)
    chance = random.Random(16)
    cuts = {0, 1, 40, 64, 500, *(end + near for end in ends for near in (-1, 0, 1)), len(data) - 1}
    for cut in sorted({cut for cut in cuts if cut < len(data)} | {chance.randrange(len(data)) for _ in range(20)}):
        path.write_bytes(data[:cut])
        mended = mend(path, begun("h264"))
        expected = sum(end <= cut for end in ends)
        if not expected:
            assert mended is None
            assert not path.exists()
            continue
        assert mended is not None
        assert numbers_in(path) == list(range(expected * FPS))
        assert mend(path, mended) == mended
    assert list(tmp_path.glob(f"*{PART}")) == []


def test_what_is_no_recording_stays(tmp_path: Path) -> None:
    """A file of another making is told, and not touched."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"some letter to the editor, which is none of our business" * 10)
    with pytest.raises(ValueError, match="does not begin as a recording does"):
        mend(path, begun("h264"))
    assert path.exists()
