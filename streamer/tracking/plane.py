"""A picture's luma, small enough to be looked at frame by frame, and two of them compared."""

from functools import lru_cache
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

CELLS = (16, 9)
"""Columns and rows of cells by which two motions are compared."""
BETTER = 0.8
"""Of what a cell differs by under one motion, what it differs by under a better one, at most."""
LEAST_SIDE = 8
"""Pixels of a plane, below which nothing can be said of a shift."""

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


def shift_between(other: Plane, plane: Plane) -> tuple[complex, float]:
    """By how many pixels most of `plane` is shifted against `other`, and how sure that is, from about 0 to about 1.

    Phase correlation (Kuglin and Hines, 1975): only where two pictures share their details, wherever they are, these
    add up to one peak; brightness and broad shapes, a pale sky above dark ground, count for nothing. Noise lowers it
    far less than it lowers what two pictures correlate by. Two that show nothing are alike, and one that does is like
    nothing.
    """
    flat = [_light(each)[1] < FLAT for each in (other, plane)]
    if any(flat) or min(plane.shape) < LEAST_SIDE:
        return 0j, float(all(flat))
    one, two = (each.astype(np.float32) for each in (other, exposed_as(plane, other)))
    (x, y), sureness = cv2.phaseCorrelate(one, two, _window(plane.shape[1], plane.shape[0]))
    return complex(x, y), float(sureness)


def half_stays(plane: Plane, other: Plane) -> bool:
    """Whether at least half of the picture is as it was, by its own brightness or by that of the other.

    A lamp that goes on, or large letters, change all the details that a picture has which is flat otherwise.
    """
    small, brought = (each[::EVERY, ::EVERY].astype(np.int16) for each in (plane, exposed_as(plane, other)))
    before = other[::EVERY, ::EVERY]
    return min(float(np.median(np.abs(each - before))) for each in (small, brought)) < SAME_GREY


def stays(other: Plane, plane: Plane, matrix: NDArray[np.float64]) -> bool:
    """Whether more of the picture is where it was than where `matrix`, [2, 3], leads all of it: something went by.

    Each cell counts once, however much there is to be seen in it: what goes by has strong edges, and asphalt has none.
    """
    moved = cv2.warpAffine(other, matrix, (plane.shape[1], plane.shape[0]), borderMode=cv2.BORDER_REPLICATE)
    if_stood, if_moved = (
        cv2.resize(cv2.absdiff(plane, each).astype(np.float32), CELLS, interpolation=cv2.INTER_AREA)
        for each in (other, moved)
    )
    return bool(np.count_nonzero(if_stood < BETTER * if_moved) > np.count_nonzero(if_moved < BETTER * if_stood))


@lru_cache(maxsize=4)
def _window(columns: int, rows: int) -> NDArray[np.float32]:
    """float32 [rows, columns]: fades a picture out towards its edges, which meet in its spectrum."""
    return cast(NDArray[np.float32], cv2.createHanningWindow((columns, rows), cv2.CV_32F))


def _light(plane: Plane) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(plane)
    return float(mean[0, 0]), float(spread[0, 0])
