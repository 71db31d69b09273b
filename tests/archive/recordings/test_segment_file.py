"""One segment as it is written: nothing of a picture is lost, and each is where the index says."""

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamer.archive.recordings.segment_file import SegmentFile
from streamer.values.coded import MICROSECONDS, CodedPicture
from tests.archive.recordings.coded import FIRST, FPS, STEP, numbers_in, times_in
from tests.archive.recordings.conftest import Coded

KINDS = ("h264", "b-frames", "hevc", "mjpeg")


def written(path: Path, pictures: list[CodedPicture]) -> SegmentFile:
    """Not closed yet."""
    file = SegmentFile(path, pictures[0], reorder=pictures[0].form.reorder, step=STEP)
    for picture in pictures:
        assert file.put(picture)
        file.flush()
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_put_is_what_is_shown(kind: str, coded: Coded, tmp_path: Path) -> None:
    """Every picture is in the closed file, in order, at its own time from the first one's on."""
    pictures = coded(kind)
    file = written(tmp_path / "a.mp4", pictures)
    file.close()
    assert numbers_in(file.path) == list(range(len(pictures)))
    assert times_in(file.path) == sorted(picture.time - FIRST for picture in pictures)
    assert file.taken == file.pictures == len(pictures)
    assert file.size == file.path.stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_fragments_play_from_the_beginning_and_from_each_keyframe(kind: str, coded: Coded, tmp_path: Path) -> None:
    """`init` and what the index calls a fragment with a keyframe is a video that begins at its time, closed or not."""
    pictures = coded(kind)
    file = written(tmp_path / "a.mp4", pictures)
    open_fragments = file.fragments
    file.close()
    assert file.fragments[: len(open_fragments)] == open_fragments
    data = file.path.read_bytes()
    assert len(file.fragments) == 4
    for number, fragment in enumerate(file.fragments):
        assert fragment.is_key
        assert fragment.time_ms == 1000 * number
        assert fragment.duration_ms == 1000
        part = io.BytesIO(file.init + data[fragment.offset : fragment.offset + fragment.size])
        with av.open(part, "r") as container:
            assert len(list(container.decode(video=0))) == FPS


@pytest.mark.parametrize("kind", KINDS)
def test_browsers_are_told_which_codec_it_is(kind: str, coded: Coded, tmp_path: Path) -> None:
    """The type names codec, profile and level as RFC 6381 has it, of H.265 under Apple's tag."""
    file = written(tmp_path / "a.mp4", coded(kind))
    begins = {"hevc": 'video/mp4; codecs="hvc1.1.', "mjpeg": 'video/mp4; codecs="mp4v.6C"'}
    assert file.mime.startswith(begins.get(kind, 'video/mp4; codecs="avc1.'))
    file.close()
    with av.open(str(file.path)) as container:
        tag = container.streams.video[0].codec_context.codec_tag
    assert tag == {"hevc": "hvc1", "mjpeg": "mp4v"}.get(kind, "avc1")


def test_a_gap_between_keyframes_costs_no_more_than_a_second(coded: Coded, tmp_path: Path) -> None:
    """Where keyframes are rare, a fragment is written each second all the same, and is known to begin with none."""
    first, *others = coded("h264")[:FPS]
    later = [
        CodedPicture(each.data, FIRST + number * STEP, 0.0, is_key=False, form=each.form)
        for number, each in enumerate(others * 3, 1)
    ]
    file = written(tmp_path / "a.mp4", [first, *later])
    file.close()
    assert [each.is_key for each in file.fragments] == [True, False, False]
    assert [each.time_ms for each in file.fragments] == [0, 1000, 2000]


def test_what_cannot_be_in_order_is_left_out(coded: Coded, tmp_path: Path) -> None:
    """A picture of a time that has passed is not taken, and does no harm to those after it."""
    pictures = coded("h264")
    file = SegmentFile(tmp_path / "a.mp4", pictures[0], reorder=0, step=STEP)
    taken = [file.put(picture) for picture in (*pictures[:10], pictures[5], *pictures[10:])]
    file.close()
    assert taken == [*[True] * 10, False, *[True] * (len(pictures) - 10)]
    assert numbers_in(file.path) == list(range(len(pictures)))


def test_what_is_there_is_not_written_over(coded: Coded, tmp_path: Path) -> None:
    """A file of that name stays as it is."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"another")
    with pytest.raises(FileExistsError):
        SegmentFile(path, coded("h264")[0], reorder=0, step=STEP)
    assert path.read_bytes() == b"another"


def test_only_the_owner_may_read(coded: Coded, tmp_path: Path) -> None:
    """File and folder are closed to other users of the machine."""
    file = written(tmp_path / "camera" / "day" / "a.mp4", coded("h264"))
    file.close()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_durations_are_in_microseconds(coded: Coded, tmp_path: Path) -> None:
    """The track counts microseconds, so that a box's time is its picture's exactly."""
    file = written(tmp_path / "a.mp4", coded("h264"))
    file.close()
    with av.open(str(file.path)) as container:
        assert container.streams.video[0].time_base == Fraction(1, MICROSECONDS)
