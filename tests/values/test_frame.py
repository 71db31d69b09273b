"""streamer.values.frame: one decoded picture, shared and never changed."""

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from tests.peers.frames import make_frame, make_picture


def test_rgb_has_the_colours_that_were_encoded() -> None:
    """A picture's RGB is what it was made of, red first, within what 4:2:0 loses."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32] = (200, 40, 40)
    pixels[:, 32:] = (30, 60, 220)
    picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
    found = make_frame(picture=picture).rgb(VideoReformatter())
    assert found.shape == (48, 64, 3)
    assert found.dtype == np.uint8
    assert np.abs(found[:, :30].astype(int) - (200, 40, 40)).max() <= 4
    assert np.abs(found[:, 34:].astype(int) - (30, 60, 220)).max() <= 4


def test_one_reformatter_serves_frames_of_any_size() -> None:
    """A camera that changes its resolution or pixel format is converted by the same reformatter."""
    reformatter = VideoReformatter()
    for width, height, pixel_format in (
        (64, 48, "yuv420p"),
        (128, 96, "yuvj420p"),
        (63, 47, "yuv444p"),
        (64, 48, "nv12"),
    ):
        picture = make_picture(width, height, pixel_format=pixel_format)
        image = make_frame(picture=picture).rgb(reformatter)
        assert image.shape == (height, width, 3)
        assert np.abs(image.astype(int) - 128).max() <= 3


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "rgb24", "gray", "yuv420p10le"]
)
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1282, 722), (16, 16), (2, 2)])
def test_planes_are_even_i420(pixel_format: str, size: tuple[int, int]) -> None:
    """From any pixel format and size come I420 planes of even size, mid-grey staying mid-grey."""
    planes = make_frame(picture=make_picture(*size, pixel_format=pixel_format)).planes()
    width, height = size[0] & ~1, size[1] & ~1
    assert planes.shape == (height * 3 // 2, width)
    assert planes.dtype == np.uint8
    assert planes.flags.writeable
    assert np.abs(planes[height:].astype(int) - 128).max() <= 2
    assert np.abs(planes[:height].astype(int) - 126).max() <= 3


def test_planes_are_a_copy() -> None:
    """Writing into the planes changes neither the picture nor the next copy of it."""
    frame = make_frame(picture=make_picture(seed=1))
    before = frame.planes()
    frame.planes()[:] = 0
    np.testing.assert_array_equal(frame.planes(), before)
    assert before.max() > 100


def test_planes_of_planar_pictures_are_the_decoders_own() -> None:
    """A 4:2:0 picture is copied to the bit, without conversion."""
    picture = make_picture(320, 240, seed=3)
    np.testing.assert_array_equal(make_frame(picture=picture).planes(), picture.to_ndarray())


def test_full_range_pictures_look_the_same() -> None:
    """A full-range picture (yuvj420p, as many cameras send) has in its planes the levels of a limited-range one."""
    limited = make_frame(picture=make_picture(320, 240, seed=3)).planes()
    full = make_frame(picture=make_picture(320, 240, seed=3, pixel_format="yuvj420p")).planes()
    assert np.abs(full.astype(int) - limited).max() <= 3


def test_size_is_the_pictures() -> None:
    """A frame is as wide and as high as its picture."""
    frame = make_frame(picture=make_picture(63, 47))
    assert (frame.width, frame.height) == (63, 47)
