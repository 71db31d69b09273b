"""A picture's pixels as its decoder left them, made small before they are made RGB: nothing is converted that is then
thrown away.

At 1280 × 720 that is a third of what converting all of it costs, and as exact: what swscale makes of the whole differs
by its rounding. Which formats are read in place stands in SHARES; of others, ten bits a sample or packed, all is
converted first.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self, cast

import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from serving.resize import Resize
from streamer.values.frame import Frame
from streamer.values.tiles import Region

SHARES: Final = {
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "nv12": (2, 2),
    "yuv422p": (2, 1),
    "yuvj422p": (2, 1),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
}
"""Pixels across and down that share a sample of colour, by pixel format: those of eight bits, luma in a plane of its
own, whose rows can be read where they lie."""
WEIGHTS: Final = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Of red and blue in luma, by ITU-T H.273's MatrixCoefficients: BT.709, FCC's, BT.601 twice, SMPTE 240M and BT.2020."""
UNSAID: Final = 6
"""Where the picture does not say, as swscale has it; and where it says what swscale refuses: boxes care little."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """One picture's, read only. They lie where the decoder put them: good for as long as the picture is held."""

    layers: tuple[NDArray[np.uint8], ...]
    """uint8 [rows, columns] or [rows, columns, channels] each: luma and colour, or RGB."""
    shared: tuple[int, int] = (1, 1)
    """Pixels across and down that share a sample of the layers after the first."""
    matrix: NDArray[np.float32] | None = None
    """float32 [3, 4]: what makes RGB of Y, U, V and 1. None: they are RGB."""

    @classmethod
    def of(cls, frame: Frame, reformatter: VideoReformatter | None = None) -> Self:
        """A frame's, in place where its format allows. The caller's `reformatter` serves one thread."""
        picture = frame.picture
        shared = SHARES.get(picture.format.name)
        planes = () if shared is None else picture.planes
        if shared is None or any(plane.line_size <= 0 for plane in planes):  # upside down
            return cls((frame.rgb(reformatter or VideoReformatter()),))
        is_full = picture.format.name.startswith("yuvj") or picture.color_range == ColorRange.JPEG
        channels = (1, 1, 1) if len(planes) == len("YUV") else (1, 2)
        layers = tuple(_layer(*each) for each in zip(planes, channels, strict=True))
        return cls(layers, shared, matrix_of(int(picture.colorspace), is_full=is_full))

    def fitted(self, region: Region, resize: Resize) -> NDArray[np.uint8]:
        """A part of the picture as a model's input: uint8 [input_height, input_width, 3], RGB, contiguous."""
        if self.matrix is None:
            return resize.apply(_part(self.layers[0], region, (1, 1)))
        size = resize.inner_width, resize.inner_height
        small = [
            cv2.resize(
                _part(layer, region, (1, 1) if number == 0 else self.shared), size, interpolation=cv2.INTER_LINEAR
            )
            for number, layer in enumerate(self.layers)
        ]
        return resize.padded(cast(NDArray[np.uint8], cv2.transform(cv2.merge(small), self.matrix)))


@lru_cache
def matrix_of(colorspace: int, *, is_full: bool) -> NDArray[np.float32]:
    """What makes RGB of Y, U, V and 1, of eight bits each (ITU-T H.273, 8.3): float32 [3, 4].

    Args:
        colorspace: its MatrixCoefficients; UNSAID's where they are none of WEIGHTS.
        is_full: luma and colour have all of 0..255, not 16..235 and 16..240.
    """
    red, blue = WEIGHTS.get(colorspace, WEIGHTS[UNSAID])
    green = 1 - red - blue
    luma, colour, black = (1.0, 2.0, 0.0) if is_full else (255 / 219, 2 * 255 / 224, 16.0)
    by_u = np.array([0.0, -(1 - blue) * blue / green, 1 - blue]) * colour
    by_v = np.array([1 - red, -(1 - red) * red / green, 0.0]) * colour
    return np.stack([np.full(3, luma), by_u, by_v, -luma * black - 128 * (by_u + by_v)], axis=1).astype(np.float32)


def _layer(plane: VideoPlane, channels: int) -> NDArray[np.uint8]:
    """A plane where it lies: uint8 [rows, columns], or [rows, columns, 2] where U and V take turns."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    row = rows[:, : plane.width * channels]
    return row if channels == 1 else row.reshape(plane.height, plane.width, channels)


def _part(layer: NDArray[np.uint8], region: Region, shared: tuple[int, int]) -> NDArray[np.uint8]:
    """A part of a layer. Where a region begins inside of a sample of colour, all of that is its own: colours may lie
    a pixel aside, in a picture that becomes smaller.
    """
    across, down = shared
    return layer[region.top // down : -(-region.bottom // down), region.left // across : -(-region.right // across)]
