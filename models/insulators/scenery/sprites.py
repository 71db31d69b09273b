"""Laying a small picture with transparency onto a frame, at any place, size and turn."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Pyramid = tuple[NDArray[np.uint8], ...]
"""A premultiplied RGBA picture, uint8 [h, w, 4], and its halves, quarters and so on."""


def pyramid(picture: NDArray[np.uint8]) -> Pyramid:
    """Every size of `picture` down to a few pixels."""
    levels = [picture]
    while min(levels[-1].shape[:2]) >= 16:
        height, width = levels[-1].shape[:2]
        smaller = cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        levels.append(smaller.astype(np.uint8, copy=False))
    return tuple(levels)


def lay(
    frame: NDArray[np.uint8], picture: Pyramid, at: tuple[float, float], middle: tuple[float, float], scale: float,
    angle: float = 0.0,
) -> None:  # fmt: skip
    """Draw `picture` on RGB `frame` (uint8 [H, W, 3]).

    Args:
        frame: what it is drawn on.
        picture: what is drawn.
        at: x and y in the frame where `middle` comes to lie.
        middle: x and y in the picture.
        scale: frame pixels per pixel of the picture.
        angle: radians, from right to down.
    """
    # A bilinear tap sees two texels: the level whose texels are not much smaller than a pixel has nothing to skip.
    level = min(max(math.floor(0.4 - math.log2(max(scale, 1e-6))), 0), len(picture) - 1)
    sprite = picture[level]
    height, width = sprite.shape[:2]
    ratio = picture[0].shape[0] / height
    cos, sin = scale * ratio * math.cos(angle), scale * ratio * math.sin(angle)
    middle_x, middle_y = (middle[0] + 0.5) / ratio - 0.5, (middle[1] + 0.5) / ratio - 0.5
    shift_x, shift_y = at[0] - cos * middle_x + sin * middle_y, at[1] - sin * middle_x - cos * middle_y
    xs = [shift_x + cos * x - sin * y for x in (0, width) for y in (0, height)]
    ys = [shift_y + sin * x + cos * y for x in (0, width) for y in (0, height)]
    left, right = max(0, math.floor(min(xs))), min(frame.shape[1], math.ceil(max(xs)) + 1)
    top, bottom = max(0, math.floor(min(ys))), min(frame.shape[0], math.ceil(max(ys)) + 1)
    if right <= left or bottom <= top:
        return
    matrix = np.array([[cos, -sin, shift_x - left], [sin, cos, shift_y - top]])
    patch = cv2.warpAffine(sprite, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    below = frame[top:bottom, left:right]
    clear = cv2.cvtColor(255 - patch[..., 3], cv2.COLOR_GRAY2RGB)
    below[:] = cv2.add(cv2.multiply(below, clear, scale=1 / 255), cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB))
