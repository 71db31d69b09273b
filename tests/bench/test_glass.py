"""streamer.bench.glass: numbers in pictures, the camera that sends them, and what is made of what a browser saw."""

import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.bench import glass
from streamer.bench.footage import RATE, numbered
from streamer.bench.glass import PICTURES, ages_of
from streamer.bench.numbers import draw, read
from streamer.cli import main
from streamer.tools.processes import listens
from tests.peers.clip import make_clip
from tests.peers.process import free_port, run_process
from tests.peers.until import wait_until


@given(number=st.integers(0, 65_535), size=st.tuples(st.integers(160, 800), st.integers(100, 600)))
def test_a_number_is_read_as_it_was_drawn(number: int, size: tuple[int, int]) -> None:
    """Whatever the picture's size, and however dull its blocks have become."""
    luma = np.full((size[1], size[0]), 90, np.uint8)
    draw(luma, number)
    assert read(luma) == number
    assert read((luma * 0.8 + 20).astype(np.uint8)) == number


def test_a_picture_without_a_number_has_none() -> None:
    """What only looks like blocks fails the check."""
    assert read(np.zeros((90, 160), np.uint8)) is None
    assert read(np.full((90, 160), 255, np.uint8)) is None


def test_the_camera_sends_each_picture_when_it_is_due(tmp_path: Path) -> None:
    """FFmpeg pulls it: from a key frame on every number comes, in order, and none before its time."""
    clip = numbered(make_clip(tmp_path / "clip.mp4"), tmp_path, (320, 240), 2 * RATE)
    port, epoch = free_port(), time.monotonic()
    with run_process([sys.executable, "-m", "streamer.bench.numbered_camera", str(port), str(clip), repr(epoch)]):
        wait_until(lambda: listens(port))
        pulled = _pulled(port, 20)
    numbers = [number for number, _ in pulled]
    assert numbers[0] % RATE == 0
    assert numbers == [(numbers[0] + more) % (2 * RATE) for more in range(20)]
    assert all((at - epoch) * RATE >= number for number, at in pulled)


def _pulled(port: int, count: int) -> list[tuple[int, float]]:
    """Numbers of the first pictures, -1 where there is none, and when each was there."""
    seen: list[tuple[int, float]] = []
    with av.open(f"rtsp://127.0.0.1:{port}/cam", options={"rtsp_transport": "tcp"}) as camera:
        for frame in camera.decode(video=0):
            number = read(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
            seen.append((-1 if number is None else number, time.monotonic()))
            if len(seen) == count:
                break
    return seen


def test_ages_are_those_of_the_newest_picture_that_was_due() -> None:
    """Numbers begin again after a round; what is seen twice counts once, at its first, and what was not read never."""
    epoch, rounds = 100.0, 3 * PICTURES
    at = [epoch + (rounds + number) / RATE + 0.150 for number in range(3)]
    seen = [(0, at[0]), (0, at[0] + 0.01), (None, at[1]), (2, at[2])]
    assert ages_of(seen, epoch) == pytest.approx([0.150, 0.150])


def test_glass_asked_for_by_name_wants_chromium(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it nothing is measured, and what is missing is said."""
    monkeypatch.setattr(glass, "chromium", lambda: None)
    assert main(["bench", "glass", "--state", str(tmp_path)]) == 2
    assert "Chromium" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
