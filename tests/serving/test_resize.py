"""serving.resize: a frame becomes a model's input, and boxes find their way back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.resize import Resize

SIZES = [(1280, 720), (720, 1280), (640, 480), (416, 416), (1921, 1079), (33, 500), (7, 5), (1, 1), (4000, 3)]
INPUTS = [(416, 416), (640, 384), (300, 300), (32, 32)]


@pytest.mark.parametrize("frame_size", SIZES)
@pytest.mark.parametrize("input_size", INPUTS)
def test_letterbox_keeps_the_aspect_ratio_and_centres(frame_size: tuple[int, int], input_size: tuple[int, int]) -> None:
    """A letterboxed picture touches two sides, is in the middle, and as wide to its height as before within a pixel."""
    resize = Resize.fit(frame_size, input_size)
    assert resize.inner_width == input_size[0] or resize.inner_height == input_size[1]
    assert resize.inner_width <= input_size[0]
    assert resize.inner_height <= input_size[1]
    assert 0 <= input_size[0] - resize.inner_width - 2 * resize.left <= 1
    assert 0 <= input_size[1] - resize.inner_height - 2 * resize.top <= 1
    scale = min(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    assert abs(resize.inner_width - frame_size[0] * scale) < 1
    assert abs(resize.inner_height - frame_size[1] * scale) < 1


@pytest.mark.parametrize("frame_size", SIZES)
@pytest.mark.parametrize("input_size", INPUTS)
@pytest.mark.parametrize("rule", ["letterbox", "stretch"])
def test_any_frame_fits_any_input(frame_size: tuple[int, int], input_size: tuple[int, int], rule: str) -> None:
    """Whatever its size, a frame becomes a contiguous uint8 input, grey bars around what letterbox leaves free."""
    image = np.full((frame_size[1], frame_size[0], 3), 200, np.uint8)
    resize = Resize.fit(frame_size, input_size, "letterbox" if rule == "letterbox" else "stretch", pad_value=77)
    found = resize.apply(image)
    assert found.shape == (input_size[1], input_size[0], 3)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    inner = np.zeros(found.shape[:2], bool)
    inner[resize.top : resize.top + resize.inner_height, resize.left : resize.left + resize.inner_width] = True
    assert (found[inner] == 200).all()
    assert (found[~inner] == 77).all()
    if rule == "stretch":
        assert inner.all()


def bilinear(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float64]:
    """Bilinear scaling with half-pixel centres, written down as it is defined."""
    rows = np.clip((np.arange(height) + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
    columns = np.clip((np.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    bottom, right = np.minimum(top + 1, image.shape[0] - 1), np.minimum(left + 1, image.shape[1] - 1)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    source = image.astype(np.float64)
    upper = source[top][:, left] * (1 - across) + source[top][:, right] * across
    lower = source[bottom][:, left] * (1 - across) + source[bottom][:, right] * across
    return np.asarray(upper * (1 - down) + lower * down)


@pytest.mark.parametrize(
    ("frame_size", "input_size"), [((120, 90), (64, 64)), ((33, 21), (64, 48)), ((640, 360), (96, 96))]
)
def test_interpolation_is_bilinear_with_half_pixel_centres(
    frame_size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    """Any client that scales bilinearly with half-pixel centres gets the same input, within one level."""
    image = np.random.default_rng(5).integers(0, 256, (frame_size[1], frame_size[0], 3), dtype=np.uint8)
    found = Resize.fit(frame_size, input_size, "stretch").apply(image)
    assert np.abs(found - bilinear(image, *input_size)).max() <= 1.0


@pytest.mark.parametrize("frame_size", SIZES)
@pytest.mark.parametrize("input_size", INPUTS)
@pytest.mark.parametrize("rule", ["letterbox", "stretch"])
def test_boxes_find_their_way_back(frame_size: tuple[int, int], input_size: tuple[int, int], rule: str) -> None:
    """A box of the frame, expressed in the model's input, comes back to the pixel it came from."""
    resize = Resize.fit(frame_size, input_size, "letterbox" if rule == "letterbox" else "stretch")
    width, height = frame_size
    corners = np.sort(np.random.default_rng(9).uniform(0, 1, (50, 2, 2)), axis=1) * (width, height)
    boxes = np.vstack([corners.reshape(50, 4), [[0, 0, width, height]]])
    xs = (boxes[:, [0, 2]] * resize.inner_width / width + resize.left) / input_size[0]
    ys = (boxes[:, [1, 3]] * resize.inner_height / height + resize.top) / input_size[1]
    model_boxes = np.stack([ys[:, 0], xs[:, 0], ys[:, 1], xs[:, 1]], axis=1).astype(np.float32)
    np.testing.assert_allclose(resize.to_frame(model_boxes), boxes, atol=1e-3 * max(1, width / 416, height / 416))


def test_boxes_are_clipped_to_the_frame() -> None:
    """What a model says of the bars or beyond the picture ends at the frame's edges."""
    resize = Resize.fit((1280, 720), (416, 416))
    found = resize.to_frame(np.array([[-1.0, -1.0, 2.0, 2.0], [0.0, 0.25, 0.05, 0.5]], np.float32))
    np.testing.assert_allclose(found, [[0, 0, 1280, 720], [320, 0, 640, 0]], atol=1e-3)


def test_no_boxes_are_no_boxes() -> None:
    """An empty answer has the shape of one: [0, 4]."""
    found = Resize.fit((64, 48), (32, 32)).to_frame(np.zeros((0, 4), np.float32))
    assert found.shape == (0, 4)
    assert found.dtype == np.float32


def test_a_square_lands_where_the_mapping_says() -> None:
    """A bright square in a frame is found in the input where its box maps to, and its box maps back onto it."""
    image = np.zeros((720, 1280, 3), np.uint8)
    image[200:400, 600:900] = 255
    resize = Resize.fit((1280, 720), (416, 416), pad_value=0)
    bright = resize.apply(image)[:, :, 0] > 127
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    box = np.array([[rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]], np.float32) / np.float32(416)
    np.testing.assert_allclose(resize.to_frame(box), [[600, 200, 900, 400]], atol=2)
