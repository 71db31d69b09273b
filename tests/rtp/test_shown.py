"""streamer.rtp.shown: what sets say of how pictures are shown, against what FFmpeg makes of them."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed
from streamer.rtp.sequence import sets
from streamer.rtp.shown import Shown, read_shown


def encoded(codec: str, width: int, height: int, pixels: str = "yuv420p", **parameters: object) -> bytes:
    """Eight pictures of a stream, in Annex B."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.time_base = width, height, pixels, 1  # type: ignore[assignment]
    name = f"{codec.removeprefix('lib')}-params"
    said = ":".join(f"{key.replace('_', '-')}={value}" for key, value in parameters.items())
    context.options = {"preset": "ultrafast", name: said + (":log-level=none" if codec == "libx265" else "")}
    frames = [av.VideoFrame.from_ndarray(np.full((height, width, 3), 9 * n, np.uint8)) for n in range(8)]
    for number, frame in enumerate(frames):
        frame.pts = number
    return b"".join(bytes(packet) for frame in [*frames, None] for packet in context.encode(frame))


def shown(codec: str, data: bytes) -> Shown:
    """What its first set says."""
    return read_shown(codec, next(sets(codec, data)))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (1920, 1080), (354, 290)])
@pytest.mark.parametrize(("encoder", "codec"), [("libx264", "h264"), ("libx265", "hevc")])
def test_sizes_are_what_is_decoded(encoder: str, codec: str, width: int, height: int, pixels: str) -> None:
    """What is coded beyond the picture is cut off, in whatever steps its colours allow."""
    found = shown(codec, encoded(encoder, width, height, pixels))
    assert (found.width, found.height) == (width, height)


def test_the_lines_of_two_fields_are_one_picture() -> None:
    """Interlaced pictures have both fields' lines."""
    found = shown("h264", encoded("libx264", 720, 576, interlaced=1, bframes=0))
    assert (found.width, found.height) == (720, 576)
    found = shown("h264", encoded("libx264", 1920, 1080, tff=1, bframes=0))
    assert (found.width, found.height) == (1920, 1080)


@pytest.mark.parametrize(
    ("b_frames", "pyramid", "reorder"), [(0, "none", 0), (1, "none", 1), (3, "none", 1), (3, "normal", 2)]
)
@pytest.mark.parametrize("nal_hrd", ["none", "vbr"])
def test_the_order_of_h264_is_said(b_frames: int, pyramid: str, reorder: int, nal_hrd: str) -> None:
    """Behind whatever else its usability information says: aspect, range, colours, timing, buffers."""
    data = encoded(
        "libx264",
        320,
        240,
        bframes=b_frames,
        b_pyramid=pyramid,
        nal_hrd=nal_hrd,
        vbv_maxrate=900,
        vbv_bufsize=900,
        sar="7/5",
        overscan="show",
        videoformat="pal",
        colorprim="bt709",
        chromaloc=2,
    )
    assert shown("h264", data) == Shown(320, 240, reorder)


@pytest.mark.parametrize(("b_frames", "pyramid", "reorder"), [(0, 0, 0), (3, 0, 1), (3, 1, 2)])
def test_the_order_of_h265_is_said(b_frames: int, pyramid: int, reorder: int) -> None:
    """Of H.265 in every set."""
    data = encoded("libx265", 320, 240, bframes=b_frames, b_pyramid=pyramid, b_adapt=0)
    assert shown("hevc", data) == Shown(320, 240, reorder)


def test_baseline_is_in_order_though_it_says_nothing() -> None:
    """A set that ends with its size still tells, where its profile has one order only."""
    written = "1 1 011 010 0 00000101000 000011110 1 1 0 0 1".replace(" ", "")  # 640 x 480, and that is all
    sps = int(written.ljust(40, "0"), 2).to_bytes(5)
    assert read_shown("h264", b"\x67\x42\xc0\x1e" + sps) == Shown(640, 480, 0)


@given(st.sampled_from(["h264", "hevc"]), st.binary(max_size=80))
def test_anything_is_read_or_refused(codec: str, rest: bytes) -> None:
    """Whatever comes is a size, or is said to be none."""
    try:
        found = read_shown(codec, (b"\x67" if codec == "h264" else b"\x42\x01") + rest)
    except Malformed:
        return
    assert isinstance(found.width, int)
