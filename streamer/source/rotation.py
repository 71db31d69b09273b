"""A picture turned upright: phones and body cameras send what their sensor saw, and beside it how to hold it.

The display matrix is FFmpeg's (libavutil/display.h), from a container's track header or from the display orientation
message of H.264 and H.265. Only its eight right-angled cases are turned; a skewed picture stays as it is.
"""

import struct
from typing import cast

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Signs = tuple[int, int, int, int]
"""(a, b, c, d) of the matrix: a source pixel (x, y) is shown at (a x + c y, b x + d y), each -1, 0 or 1."""

_TURNS: dict[Signs, tuple[int | None, int | None]] = {
    (0, 1, -1, 0): (cv2.ROTATE_90_CLOCKWISE, None),
    (-1, 0, 0, -1): (cv2.ROTATE_180, None),
    (0, -1, 1, 0): (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
    (-1, 0, 0, 1): (None, 1),
    (1, 0, 0, -1): (None, 0),
    (0, 1, 1, 0): (cv2.ROTATE_90_CLOCKWISE, 1),
    (0, -1, -1, 0): (cv2.ROTATE_90_COUNTERCLOCKWISE, 1),
}
"""How OpenCV does it: first this turn, then this flip (1 left to right, 0 top to bottom)."""


def turn_of(picture: av.VideoFrame) -> Signs | None:
    """How a picture is to be turned, or None where it is upright."""
    matrix = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", memoryview(cast(bytes, matrix))[:36])
    largest = max(abs(value) for value in (a, b, c, d)) or 1
    a, b, c, d = (round(value / largest) for value in (a, b, c, d))
    return (a, b, c, d) if (a, b, c, d) in _TURNS else None


def upright(picture: av.VideoFrame, reformatter: VideoReformatter) -> av.VideoFrame:
    """The picture as it is meant to be seen, in yuv420p; the same one where nothing is to be done."""
    signs = turn_of(picture)
    if signs is None:
        return picture
    width, height = picture.width & ~1, picture.height & ~1
    planes = reformatter.reformat(picture, width, height, "yuv420p").to_ndarray()
    luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    turned = [_turn(plane, signs) for plane in (luma, *chroma)]
    rows, columns = turned[0].shape
    joined = np.concatenate([plane.reshape(-1) for plane in turned]).reshape(rows * 3 // 2, columns)
    made = av.VideoFrame.from_ndarray(joined, format="yuv420p")
    made.pts = picture.pts
    if picture.time_base is not None:
        made.time_base = picture.time_base
    made.colorspace, made.color_range = picture.colorspace, picture.color_range
    return made


def _turn(plane: NDArray[np.uint8], signs: Signs) -> NDArray[np.uint8]:
    rotation, flip = _TURNS[signs]
    plane = np.ascontiguousarray(plane)
    if rotation is not None:
        plane = np.asarray(cv2.rotate(plane, rotation), np.uint8)
    if flip is not None:
        plane = np.asarray(cv2.flip(plane, flip), np.uint8)
    return plane
