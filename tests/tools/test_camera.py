"""streamer.tools.camera: a file becomes a camera that pushes RTSP."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.peers.clip import make_clip, read_index
from tests.peers.process import Process, free_port, run_process

FRAMES = 20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of two thirds of a second, with B-frames as a real camera's recording may have."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=FRAMES / 30, gop=10, b_frames=2)


@contextmanager
def run_camera(file: Path, url: str) -> Iterator[Process]:
    """The camera, in a process of its own."""
    with run_process([sys.executable, "-m", "streamer", "camera", file, url]) as process:
        yield process


def receive(url: str, count: int) -> list[tuple[int, float]]:
    """Listen at `url` until so many frames came; gives the number and the time in seconds of those that have one.

    The first has none: FFmpeg knows the time of a packet from the one before.
    """
    options = {"rtsp_flags": "listen", "listen_timeout": "60", "timeout": "60000000"}
    found = list[tuple[int, float]]()
    with av.open(url, format="rtsp", options=options) as container:
        for frame in container.decode(video=0):
            if frame.time is not None:
                found.append((read_index(frame.to_ndarray(format="rgb24")), frame.time))
            if len(found) == count:
                break
    return found


def test_a_file_is_pushed_in_a_loop(clip: Path) -> None:
    """Whoever listens gets the file's frames in order, again and again, at times that rise evenly over the seam."""
    url = f"rtsp://127.0.0.1:{free_port()}/drone"
    with run_camera(clip, url):
        found = receive(url, 3 * FRAMES)
    numbers = [number for number, _ in found]
    assert numbers == [(1 + index) % FRAMES for index in range(3 * FRAMES)]
    times = [time for _, time in found]
    assert times == pytest.approx([times[0] + index / 30 for index in range(len(times))], abs=0.002)


def test_a_recording_that_begins_late_is_pushed_at_once(clip: Path, tmp_path: Path) -> None:
    """A file whose times begin at an hour, as a broadcast's do, is a camera like any other, over the seam as well."""
    late = tmp_path / "late.ts"
    options = ["-c", "copy", "-output_ts_offset", "3600", "-muxdelay", "0"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, *options, late], check=True)
    url = f"rtsp://127.0.0.1:{free_port()}/drone"
    with run_camera(late, url):
        found = receive(url, 2 * FRAMES)
    assert [number for number, _ in found] == [(1 + index) % FRAMES for index in range(2 * FRAMES)]
    times = [time for _, time in found]
    assert times == pytest.approx([times[0] + index / 30 for index in range(len(times))], abs=0.002)


def test_a_camera_waits_for_who_listens_and_comes_back(clip: Path) -> None:
    """A camera nobody listens to tries again, and does so after its listener went away."""
    url = f"rtsp://127.0.0.1:{free_port()}/drone"
    with run_camera(clip, url) as camera:
        for _ in range(2):
            assert len(receive(url, 5)) == 5
            assert camera.returncode is None
        camera.signal(signal.SIGTERM)
        assert camera.wait() == 0
        assert "Traceback" not in camera.output


def test_told_to_end_again_and_again_it_ends_quietly(clip: Path) -> None:
    """However often SIGTERM comes, also while the interpreter is ending, the exit code is 0 and nothing is printed."""
    url = f"rtsp://127.0.0.1:{free_port()}/drone"
    with run_camera(clip, url) as process:
        receive(url, 1)
        while process.returncode is None:
            process.signal(signal.SIGTERM)
        assert process.returncode == 0
        assert "Traceback" not in process.output
