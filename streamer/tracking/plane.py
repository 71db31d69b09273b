"""A picture's luma, small enough to be looked at frame by frame, and two of them compared."""

from typing import cast

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamer.values.frame import Frame

Plane = NDArray[np.uint8]
"""uint8 [rows, columns], the longer side LONG_SIDE at most."""

LONG_SIDE = 320
"""Pixels: on half of it motion is three times less exact, and wrong where things move before a bare background."""
FLAT = 2.0
"""Standard deviation of a plane, of 255, below which it shows nothing: a cap on the lens, fog, night."""
REPEATED = 0.4
"""Mean difference, of 255, below which two pictures are one, sent again through H.264; 1.5 and more of what moves."""
SAME_GREY = 5.0
"""Of 255: what a pixel may differ by and be as it was. Half of them differ by 14 and more at cuts."""
EVERY = 4
"""Every which row and column are compared."""

LUMA_FIRST = ("yuv", "nv12", "nv21", "gray")
"""Pixel formats whose first plane is the luma, by how their names begin; in eight bits where no `p10le` follows."""


def plane_of(frame: Frame, reformatter: VideoReformatter) -> Plane:
    """The frame's luma made small.

    Bilinear: averaging over areas costs three times as much, and motion found on it is no better. The caller's
    `reformatter` is for pictures that have no luma of eight bits; it serves one thread.
    """
    picture = frame.picture
    size = size_of(frame.width, frame.height)
    name = picture.format.name
    if name.startswith(LUMA_FIRST) and not name.endswith(("le", "be")) and picture.format.is_planar:
        luma = picture.planes[0]
        rows = np.frombuffer(memoryview(luma), np.uint8).reshape(-1, luma.line_size)
        whole = rows[: frame.height, : frame.width]
    else:
        whole = cast(Plane, reformatter.reformat(picture, *size, format="gray").to_ndarray())
    if (whole.shape[1], whole.shape[0]) == size:
        return np.array(whole)  # a copy: the decoder's memory is not ours to keep
    return cast(Plane, cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR))


def size_of(width: int, height: int) -> tuple[int, int]:
    """(columns, rows) of the plane of a picture."""
    scale = min(1.0, LONG_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def exposed_as(plane: Plane, other: Plane) -> Plane:
    """`plane` brought to the mean and spread of `other`.

    A step of exposure by 15 % breaks the fit of motion in every second case otherwise.
    """
    (mean, spread), (wanted_mean, wanted_spread) = _light(plane), _light(other)
    if min(spread, wanted_spread) < FLAT:
        return plane
    table = (np.arange(256) - mean) * (wanted_spread / spread) + wanted_mean
    return cast(Plane, cv2.LUT(plane, np.clip(np.rint(table), 0, 255).astype(np.uint8)))


def repeats(plane: Plane, other: Plane) -> bool:
    """Whether both show the same picture."""
    return cv2.norm(plane, other, cv2.NORM_L1) < REPEATED * plane.size


def likeness(plane: Plane, other: Plane) -> float:
    """Correlation, -1..1, whatever the exposure; two that show nothing are alike, and one that does is like nothing."""
    one, two = (each[::EVERY, ::EVERY].astype(np.float32) for each in (plane, other))
    spreads = float(one.std()), float(two.std())
    if min(spreads) < FLAT:
        return 1.0 if max(spreads) < FLAT else 0.0
    return float(np.mean((one - one.mean()) * (two - two.mean())) / (spreads[0] * spreads[1]))


def half_stays(plane: Plane, other: Plane) -> bool:
    """Whether at least half of the picture is as it was, by its own brightness or by that of the other.

    A lamp that goes on, or large letters, change so much of a picture that is flat otherwise that little correlates.
    """
    small, brought = (each[::EVERY, ::EVERY].astype(np.int16) for each in (plane, exposed_as(plane, other)))
    before = other[::EVERY, ::EVERY]
    return min(float(np.median(np.abs(each - before))) for each in (small, brought)) < SAME_GREY


def _light(plane: Plane) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(plane)
    return float(mean[0, 0]), float(spread[0, 0])
