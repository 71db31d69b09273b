"""streamer.archive.recordings.clip: spans of recorded video as files of their own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import pytest

from streamer.archive.recordings.clip import Stopped, write_clip
from streamer.archive.recordings.cut import cut
from streamer.archive.recordings.segment import Segment
from streamer.values.errors import Refused
from tests.peers.clip import read_index
from tests.peers.ffmpeg_player import played, probed
from tests.peers.recorded import path_of, record

NOON = 1_764_417_600.0
SIZE = (160, 120)


def clip_of(folder: Path, segments: Sequence[Segment], began: float, ended: float) -> Path:
    """Have one written."""
    path = folder / "clip.mp4"
    path.unlink(missing_ok=True)
    write_clip(cut(segments, NOON + began, NOON + ended), lambda part: its_path(folder, part.segment), path)
    return path


def its_path(folder: Path, segment: Segment) -> Path:
    """Where a segment's file is."""
    return path_of(folder, segment.stream, segment.began_at, segment.id)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_a_clip_begins_and_ends_exactly(tmp_path: Path, b_frames: int) -> None:
    """Its first picture is the first of the span, though it is cut at keyframes; its last, what that needs."""
    segment = record(tmp_path, NOON, b_frames=b_frames)
    path = clip_of(tmp_path, [segment], 1.7, 3.2)
    shown = await played(path, SIZE)
    assert (shown[:45], len(shown[45:]) <= b_frames // 2) == (list(range(51, 96)), True)
    [stream] = (await probed(path))["streams"]
    assert float(stream["start_time"]) == 0
    assert float(stream["duration"]) == pytest.approx(1.5, abs=0.04 + 0.1 * bool(b_frames))
    with av.open(str(path)) as container:
        assert read_index(next(container.decode(video=0)).to_ndarray(format="rgb24")) == 51


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_a_clip_goes_through_files_and_leaves_gaps_out(tmp_path: Path, b_frames: int) -> None:
    """One behind the other; what is not recorded takes no time; of the one that is written what is there."""
    segments = [
        record(tmp_path, NOON, b_frames=b_frames),
        record(tmp_path, NOON + 4, first=120, follows=True, b_frames=b_frames),
        record(tmp_path, NOON + 600, first=300, b_frames=b_frames, is_open=True),
    ]
    parts = cut(segments, NOON + 2, NOON + 900)
    assert [(part.at, part.duration) for part in parts] == [
        (0, 2_000_000),
        (2_000_000, 4_000_000),
        (6_000_000, 3_500_000),
    ]
    path = clip_of(tmp_path, segments, 2, 900)
    assert await played(path, SIZE) == [*range(60, 240), *range(300, 405)]
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([number / 30 for number in range(285)], abs=2e-5)


async def test_a_clip_of_h265_is_one_that_apple_plays(tmp_path: Path) -> None:
    """With the tag hvc1."""
    path = clip_of(tmp_path, [record(tmp_path, NOON, codec="libx265")], 0.2, 1)
    [stream] = (await probed(path))["streams"]
    assert stream["codec_tag_string"] == "hvc1"
    assert await played(path, SIZE) == list(range(6, 30))


async def test_a_clip_of_jpegs_is_one_too(tmp_path: Path) -> None:
    """Every picture is a keyframe."""
    path = clip_of(tmp_path, [record(tmp_path, NOON, codec="mjpeg", gop=1, seconds=3)], 0.5, 1)
    assert await played(path, SIZE) == list(range(15, 30))


def test_a_span_in_two_forms_is_no_clip(tmp_path: Path) -> None:
    """It is said when the form changes; and where nothing is recorded, that."""
    segments = [record(tmp_path, NOON), record(tmp_path, NOON + 4, size=(320, 240))]
    with pytest.raises(Refused, match=r"from h264 160x120 to h264 320x240 at 2025-11-29T12:00:04\.000Z") as refused:
        cut(segments, NOON + 1, NOON + 5)
    assert refused.value.status == 409
    assert len(cut(segments, NOON + 1, NOON + 4)) == 1
    with pytest.raises(Refused, match="nothing of this span is recorded"):
        cut(segments, NOON + 100, NOON + 200)


def test_a_clip_that_nobody_wants_any_more_is_not_finished(tmp_path: Path) -> None:
    """Stopped, at the next packet; a file that is gone is an OSError."""
    segment = record(tmp_path, NOON)
    parts = cut([segment], NOON, NOON + 4)
    with pytest.raises(Stopped):
        write_clip(parts, lambda part: its_path(tmp_path, part.segment), tmp_path / "clip.mp4", lambda: True)
    gone = cut([replace(segment, stream="b")], NOON, NOON + 4)
    with pytest.raises(OSError, match="No such file"):
        write_clip(gone, lambda part: its_path(tmp_path, part.segment), tmp_path / "clip.mp4")
