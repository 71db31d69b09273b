"""streamer.source.rotation: a picture turned upright."""

import asyncio
import struct
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.source.target import Target
from tests.peers.clip import make_clip
from tests.peers.required import requires
from tests.peers.watch import run_watch

WIDTH, HEIGHT = 96, 64


def draw() -> NDArray[np.uint8]:
    """A picture without symmetry: one corner red, one green, the rest grey."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    image[:24, :24] = (220, 30, 30)
    image[:24, -24:] = (30, 220, 30)
    return image


def clip_of(path: Path, image: NDArray[np.uint8]) -> Path:
    """The same picture for a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


MATRICES = {
    "upright": (1, 0, 0, 1),
    "turned right": (0, 1, -1, 0),
    "turned round": (-1, 0, 0, -1),
    "turned left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}
"""a, b, c, d of a track header's matrix (ISO/IEC 14496-12, 8.3.2)."""


def mark(clip: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a matrix into the track header of an MP4."""
    data = bytearray(clip.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip.write_bytes(data)


def shown_by_ffmpeg(clip: Path) -> bytes:
    """The first picture as the ffmpeg program shows it, which turns by itself, in RGB."""
    command = ("ffmpeg", "-loglevel", "error", "-i", clip, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("turn", MATRICES)
async def test_a_picture_is_shown_as_its_matrix_says(tmp_path: Path, turn: str) -> None:
    """In each of the eight ways a right-angled matrix can turn a picture, it comes as the ffmpeg program shows it."""
    requires("ffmpeg")
    clip = clip_of(tmp_path / "clip.mp4", draw())
    mark(clip, MATRICES[turn])
    shown = await asyncio.to_thread(shown_by_ffmpeg, clip)
    async with run_watch(Target(f"file://{clip}")) as watch:
        [frame] = await watch.more(1)
    sideways = MATRICES[turn][0] == 0
    assert (frame.width, frame.height) == ((HEIGHT, WIDTH) if sideways else (WIDTH, HEIGHT))
    expected = np.frombuffer(shown, np.uint8).reshape(frame.height, frame.width, 3).astype(int)
    assert np.abs(frame.picture.to_ndarray(format="rgb24") - expected).mean() < 3
    assert (np.abs(draw().mean(axis=(0, 1)) - expected.mean(axis=(0, 1))) < 8).all()


async def test_a_skewed_matrix_leaves_a_picture_as_it_is(tmp_path: Path) -> None:
    """What is turned by no right angle is shown as it was sent."""
    clip = clip_of(tmp_path / "clip.mp4", draw())
    mark(clip, (1, 1, -1, 1))
    async with run_watch(Target(f"file://{clip}")) as watch:
        [frame] = await watch.more(1)
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)


async def test_a_picture_of_odd_size_is_taken(tmp_path: Path) -> None:
    """Odd widths and heights come as they are; whoever needs even ones rounds down."""
    clip = make_clip(tmp_path / "odd.mkv", width=321, height=241, codec="mjpeg", seconds=1)
    async with run_watch(Target(f"file://{clip}")) as watch:
        [frame] = await watch.more(1)
    assert (frame.width, frame.height) == (321, 241)
    assert frame.planes().shape == (360, 320)
