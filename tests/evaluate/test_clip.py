"""streamer.evaluate.clip: which frames a clip has, and how each is known again."""

from pathlib import Path

import av
import pytest

from streamer.evaluate import clip
from streamer.values.errors import ConfigError
from tests.peers.clip import make_clip


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_frame_is_known_again(tmp_path: Path, name: str, b_frames: int) -> None:
    """Each frame of a clip, decoded by anybody, has its number, in the order of showing and not of sending."""
    path = make_clip(tmp_path / name, seconds=1.5, fps=30, b_frames=b_frames)
    known = clip.read(path, None)
    assert (len(known), known.frames, known.packets) == (45, 45, 45)
    assert (known.width, known.height) == (320, 240)
    assert known.fps == pytest.approx(30, abs=0.01)
    assert known.times == pytest.approx([number / 30 for number in range(45)], abs=1e-3)
    assert known.seconds == pytest.approx(1.5, abs=1e-3)
    with av.open(str(path)) as container:
        prints = [clip.fingerprint(picture) for picture in container.decode(video=0)]
    assert [known.number_of(found, 0.0) for found in prints] == list(range(45))
    assert known.number_of(1, 0.0) is None


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_part_is_as_long_as_was_asked_for(tmp_path: Path, b_frames: int) -> None:
    """With a number of seconds the frames before it are played, and the packets they need sent; all are counted."""
    known = clip.read(make_clip(tmp_path / "clip.mp4", seconds=2, b_frames=b_frames), 1.0)
    assert (len(known), known.frames) == (30, 60)
    assert known.times[-1] == pytest.approx(29 / 30)
    assert 30 <= known.packets <= 30 + b_frames


def test_of_equal_pictures_time_tells_which(tmp_path: Path) -> None:
    """Where nothing moves, a frame is the one whose time is nearest; no picture says by itself which it is."""
    path = tmp_path / "still.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            picture = av.VideoFrame(64, 48, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([100]) * plane.buffer_size)
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    known = clip.read(path, None)
    found = known.fingerprints[0]
    assert [known.number_of(found, time) for time in (-3.0, 0.0, 0.19, 0.21, 99.0)] == [0, 0, 5, 5, 9]
    assert known.only_with(found) is None


def test_the_first_picture_says_nothing_of_when_the_clip_began(tmp_path: Path) -> None:
    """The first picture is shown before and after the clip as well, every other of this clip only once."""
    known = clip.read(make_clip(tmp_path / "clip.mp4", seconds=0.5), None)
    assert [known.only_with(found) for found in known.fingerprints] == [None, *range(1, 15)]


def test_a_clip_plays_from_half_a_frame_before_to_half_a_frame_after(tmp_path: Path) -> None:
    """A time is the clip's up to half a frame before its first and behind its last."""
    known = clip.read(make_clip(tmp_path / "clip.mp4", seconds=1, fps=10), None)
    times = (-0.06, -0.04, 0.0, 0.5, 0.9, 0.94, 0.96)
    assert [known.plays_at(time) for time in times] == [False, True, True, True, True, True, False]


def test_what_is_no_clip_is_named(tmp_path: Path) -> None:
    """A file that is not there, no video, or not H.264 is refused in one sentence."""
    (tmp_path / "notes.mp4").write_text("not a video")
    with av.open(str(tmp_path / "mpeg4.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = 64, 48
        container.mux([*stream.encode(av.VideoFrame(64, 48, "yuv420p")), *stream.encode(None)])
    for name, says in (
        ("missing.mp4", "cannot be read as a video: No such file or directory"),
        ("notes.mp4", "cannot be read as a video: Invalid data found when processing input"),
        ("mpeg4.mp4", "carries mpeg4; a camera sends h264"),
    ):
        with pytest.raises(ConfigError) as refused:
            clip.read(tmp_path / name, None)
        assert str(refused.value) == f"{tmp_path / name}: {says}"
