"""One decoded picture and when it came. A value: shared between rooms, never changed."""

from dataclasses import dataclass, replace
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamer.values.tiles import Region

Planes = NDArray[np.uint8]
"""I420: uint8 [height * 3 // 2, width], luma and below it the two half-size chroma planes."""

PLANAR = "yuv420p"
"""The pixel format whose planes need no conversion to be drawn on and encoded. Not yuvj420p, which many cameras send:
its full range would be shown as limited, blacks and whites crushed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of one stream, as it left the decoder."""

    stream: str
    index: int
    """Counts the stream's decoded frames from 0, through reconnects."""
    pts: float
    """Presentation time in seconds from the stream's first frame."""
    received_at: float
    """Monotonic time at which the packet that carried it was demuxed."""
    picture: av.VideoFrame
    """The decoder's picture. Read only: several rooms hold it at once."""
    opening: int = 0
    """Counts the connections of its source: of another one nothing need be where it was."""
    coded_at: int = 0
    """CodedPicture.time of what it was decoded from, by which a recording knows it."""
    decoded_at: float = 0.0
    """Monotonic time at which it left the decoder; 0 where nobody said."""
    camera_age: float | None = None
    """Seconds from when its camera took it, by the camera's clock, to its arrival by ours; None where it does not tell.
    As it was told: `stream.camera_age` judges it."""
    is_turned: bool = False
    """Whether it was turned upright: what it was decoded from lies otherwise."""
    missed: int = 0
    """Pictures that came since the frame before and were not decoded, since nobody needed them."""

    @property
    def width(self) -> int:
        """Columns, in pixels."""
        return self.picture.width

    @property
    def height(self) -> int:
        """Rows, in pixels."""
        return self.picture.height

    def rgb(self, reformatter: VideoReformatter) -> NDArray[np.uint8]:
        """The picture as uint8 [height, width, 3], RGB.

        The caller's `reformatter` keeps swscale's context between frames; it serves one thread.
        """
        return cast(NDArray[np.uint8], reformatter.reformat(self.picture, format="rgb24").to_ndarray())

    def planes(self, reformatter: VideoReformatter | None = None) -> Planes:
        """A fresh copy of the picture as I420 planes: uint8 [height * 3 // 2, width], both even.

        Whoever asks often gives a `reformatter` as in `rgb`: a context for every frame costs megabytes each (swscale
        of FFmpeg 8). Odd pictures lose their last row or column to scaling: 4:2:0 chroma has no half sample.
        """
        width, height = self.width & ~1, self.height & ~1
        if self.picture.format.name == PLANAR and (width, height) == (self.width, self.height):
            return cast(NDArray[np.uint8], self.picture.to_ndarray())
        even = (reformatter or VideoReformatter()).reformat(self.picture, width, height, "yuv420p")
        return cast(NDArray[np.uint8], even.to_ndarray())


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame chosen for the model, already in the model's own size."""

    frame: Frame
    tensor: NDArray[np.uint8]
    """uint8 [H, W, 3], RGB, contiguous: one row of the model's input."""
    min_score: float
    """Detections below this are of no interest to this stream, 0..1, but to its tracker."""
    region: Region | None = None
    """The part of the frame that `tensor` shows. None: all of it."""
    tiles: tuple["Sample", ...] = ()
    """Parts of the same frame that are looked at as well; one answer is made of all."""
    wished: int = 1
    """How many pictures it would be if its model had the time."""
    chosen_at: float = 0.0
    """Monotonic time at which it was chosen for the model; 0 where nobody said."""

    @property
    def pictures(self) -> int:
        """How many the model looks at for it."""
        return 1 + len(self.tiles)

    def looks(self) -> list["Sample"]:
        """Each of these pictures by itself, the whole frame first."""
        return [replace(self, tiles=()), *self.tiles] if self.tiles else [self]
