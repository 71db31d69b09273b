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
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.watch import run_watch

WIDTH, HEIGHT = 96, 64


def draw() -> NDArray[np.uint8]:
    """A picture without symmetry: one corner red, one green, the rest grey."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    image[:24, :24] = (220, 30, 30)
    image[:24, -24:] = (30, 220, 30)
    return image


def clip_of(path: Path, image: NDArray[np.uint8], codec: str = "libx264", pixels: str = "yuv420p") -> Path:
    """The same picture for a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], pixels
        # Headers in the stream itself, because an RTSP server passes only that on.
        params: dict[str, dict[str, str]] = {
            "libx264": {"x264-params": "repeat-headers=1:aud=1"},
            "libx265": {"x265-params": "log-level=none"},
        }
        stream.options = dict(params.get(codec, {"q:v": "2"}))
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


TURNS = [
    (degrees, flip) for flip in ("", "horizontal", "vertical", "horizontal+vertical") for degrees in (0, 90, 180, 270)
]
"""Degrees anticlockwise, after the flip (ITU-T H.264 D.2.27, H.265 D.3.17)."""


def turned(image: NDArray[np.uint8], degrees: int, flip: str) -> NDArray[np.uint8]:
    """A picture as such a message says that it is to be shown."""
    image = image[:, ::-1] if "horizontal" in flip else image
    image = image[::-1] if "vertical" in flip else image
    return np.rot90(image, degrees // 90)


def say_in_h264(clip: Path, degrees: int, flip: str) -> Path:
    """Have the ffmpeg program put the message into every keyframe."""
    requires("ffmpeg")
    message = f"h264_metadata=display_orientation=insert:rotate={degrees}" + (f":flip={flip}" if flip else "")
    said = clip.with_suffix(".said.mp4")
    subprocess.run(("ffmpeg", "-loglevel", "error", "-i", clip, "-c", "copy", "-bsf:v", message, said), check=True)
    return said


def say_in_h265(clip: Path, degrees: int, flip: str) -> Path:
    """The same for H.265, by hand: no program at hand writes it. Before the first slice of every keyframe."""
    bits = f"0{int('horizontal' in flip)}{int('vertical' in flip)}{degrees * 65536 // 360:016b}1"
    payload = int(f"{bits}1000", 2).to_bytes(3, "big")  # a one, and zeros up to the byte
    message = b"\0\0\1" + bytes((39 << 1, 1)) + bytes((47, len(payload))) + guarded(payload) + b"\x80"
    said = clip.with_suffix(".said.ts")
    with av.open(str(clip)) as container, av.open(str(said), "w") as out:
        stream = out.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.size:
                data = bytes(packet)
                at = data.index(b"\0\0\1" + bytes((20 << 1,))) if packet.is_keyframe else 0  # IDR_N_LP
                new = av.Packet(data[:at] + (message if packet.is_keyframe else b"") + data[at:])
                new.pts, new.dts, new.time_base, new.stream = packet.pts, packet.dts, packet.time_base, stream
                out.mux(new)
    return said


def guarded(payload: bytes) -> bytes:
    """A payload in which nothing looks like a start code (ITU-T H.265 section 7.4.2)."""
    return payload.replace(b"\0\0", b"\0\0\3")


@pytest.mark.parametrize(("degrees", "flip"), TURNS)
async def test_h264_says_how_it_is_to_be_held(tmp_path: Path, degrees: int, flip: str) -> None:
    """In each of the ways a display orientation message can turn and mirror H.264, the picture comes as it says."""
    clip = await asyncio.to_thread(say_in_h264, clip_of(tmp_path / "clip.mp4", draw()), degrees, flip)
    await assert_shown(f"file://{clip}", turned(draw(), degrees, flip))


@pytest.mark.parametrize(("degrees", "flip"), [(90, ""), (180, ""), (270, "horizontal"), (0, "vertical")])
async def test_h265_says_how_it_is_to_be_held(tmp_path: Path, degrees: int, flip: str) -> None:
    """The same of H.265."""
    clip = say_in_h265(clip_of(tmp_path / "clip.ts", draw(), "libx265"), degrees, flip)
    await assert_shown(f"file://{clip}", turned(draw(), degrees, flip))


async def test_a_camera_that_is_turned_is_shown_upright(tmp_path: Path) -> None:
    """A camera that is mounted sideways and says so in its H.264, over RTSP, is shown upright."""
    clip = clip_of(tmp_path / "clip.mp4", draw())
    with run_rtsp_server({"/side": await asyncio.to_thread(say_in_h264, clip, 90, "")}) as server:
        await assert_shown(server.url("/side"), turned(draw(), 90, ""))


async def assert_shown(url: str, expected: NDArray[np.uint8]) -> None:
    """The first frame is that picture, but for what an encoder loses."""
    async with run_watch(Target(url)) as watch:
        [frame] = await watch.more(1)
    rows, columns, _ = expected.shape
    assert (frame.width, frame.height) == (columns, rows)
    assert np.abs(frame.picture.to_ndarray(format="rgb24").astype(int) - expected).mean() < 3


async def test_a_turn_keeps_the_brightness(tmp_path: Path) -> None:
    """A picture of full range, as MJPEG's are, is no brighter and no darker when it is turned."""
    image = np.tile(np.linspace(0, 255, WIDTH, dtype=np.uint8)[None, :, None], (HEIGHT, 1, 3))
    clip = clip_of(tmp_path / "clip.mp4", image, "mjpeg", "yuvj420p")
    mark(clip, MATRICES["turned round"])
    await assert_shown(f"file://{clip}", image[::-1, ::-1])


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
