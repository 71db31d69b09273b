"""streamer.inference.pixels: a picture's own planes become the model's input, as converting all of it would."""

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import ResizeRule
from streamer.inference.pixels import SHARES, WEIGHTS, Pixels, matrix_of
from streamer.values.frame import Frame
from streamer.values.tiles import Region
from tests.peers.frames import make_frame, make_picture

CONVERTED = ("yuv420p10le", "yuyv422", "gray", "rgb24", "bgr24", "gbrp", "yuv444p10le", "p010le", "yuva420p")
SIZES = [(1280, 720), (641, 479), (333, 500), (64, 48), (5, 3), (1, 1)]
INPUTS = [(300, 300), (512, 384), (97, 131)]


def whole_of(frame: Frame) -> Region:
    """All of it."""
    return Region(0, 0, frame.width, frame.height)


def both_ways(
    frame: Frame, region: Region, size: tuple[int, int], rule: ResizeRule = "letterbox"
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The model's input as it is made, and of the whole picture converted before."""
    resize = Resize.fit((region.width, region.height), size, rule, pad_value=77)
    made = Pixels.of(frame).fitted(region, resize)
    assert made.shape == (size[1], size[0], 3)
    assert made.dtype == np.uint8
    assert made.flags.c_contiguous
    rgb = frame.rgb(VideoReformatter())[region.top : region.bottom, region.left : region.right]
    return made.astype(np.int16), resize.apply(rgb).astype(np.int16)


def are_alike(made: NDArray[np.int16], wanted: NDArray[np.int16]) -> bool:
    """Whether two inputs differ by a rounding or two, and hardly anywhere by more: swscale cuts off what it has left,
    and gives every pixel the colour of its neighbour."""
    apart = np.abs(made - wanted)
    return bool(apart.mean() < 2.5 and np.percentile(apart, 99) <= 8)


@pytest.mark.parametrize("pixel_format", [*SHARES, *CONVERTED])
@pytest.mark.parametrize("size", SIZES)
def test_every_format_and_size_is_as_the_whole_converted(pixel_format: str, size: tuple[int, int]) -> None:
    """Whatever a decoder gives, at any size, odd ones too, smaller or larger than the model's input."""
    frame = make_frame(picture=make_picture(*size, seed=3, pixel_format=pixel_format))
    for to in INPUTS:
        for rule in ("letterbox", "stretch"):
            made, wanted = both_ways(frame, whole_of(frame), to, rule)
            # Of a few pixels the half sample of colour that an odd side lacks is much.
            assert are_alike(made, wanted) or max(size) < 8, (to, rule)


@pytest.mark.parametrize("colorspace", [*WEIGHTS, 2])
@pytest.mark.parametrize("colour_range", [ColorRange.UNSPECIFIED, ColorRange.MPEG, ColorRange.JPEG])
def test_colours_are_read_as_the_picture_says(colorspace: int, colour_range: ColorRange) -> None:
    """A camera's matrix and range count, also those that are too rare to be read in place."""
    picture = make_picture(640, 480, seed=5).reformat(format="yuv420p", width=642)  # one of our own, to be marked
    picture.colorspace, picture.color_range = colorspace, colour_range
    frame = make_frame(picture=picture)
    made, wanted = both_ways(frame, whole_of(frame), (320, 320))
    assert are_alike(made, wanted)
    assert np.abs((made - wanted).mean(axis=(0, 1))).max() < 2


@pytest.mark.parametrize("colorspace", [0, 3, 8, 14, 200])
def test_a_matrix_that_nobody_knows_is_the_usual_one(colorspace: int) -> None:
    """A camera that says nonsense of its colours, or what swscale refuses, is looked at all the same."""
    assert (matrix_of(colorspace, is_full=False) == matrix_of(6, is_full=False)).all()


@pytest.mark.parametrize("pixel_format", ["yuv420p", "nv12", "yuv422p", "rgb24"])
@pytest.mark.parametrize("region", [Region(0, 0, 333, 217), Region(301, 199, 340, 281), Region(8, 3, 1, 1)])
def test_a_part_is_as_the_same_part_converted(pixel_format: str, region: Region) -> None:
    """A tile may begin and end in the middle of a sample of colour: nothing of another part is seen in it."""
    frame = make_frame(picture=make_picture(641, 480, seed=4, pixel_format=pixel_format))
    made, wanted = both_ways(frame, region, (160, 128))
    assert are_alike(made, wanted)


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("colorspace", WEIGHTS)
def test_black_is_black_and_white_white(colorspace: int, is_full: bool) -> None:
    """By every matrix the ends of its range are the ends of RGB's, without a tint."""
    black, white = (0, 255) if is_full else (16, 235)
    ends = np.array([[black, 128, 128, 1], [white, 128, 128, 1]], np.float32)
    assert np.allclose(ends @ matrix_of(colorspace, is_full=is_full).T, [[0] * 3, [255] * 3], atol=1e-3)


def test_a_picture_that_is_read_in_place_is_not_copied() -> None:
    """The layers are the decoder's own memory."""
    picture = av.VideoFrame(64, 48, "yuv420p")
    luma = Pixels.of(make_frame(picture=picture)).layers[0]
    assert np.shares_memory(luma, np.frombuffer(memoryview(picture.planes[0]), np.uint8))
