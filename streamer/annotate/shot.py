"""One picture on its way to the model: a photo, or a frame of a video. A value."""

import os
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from serving.signature import Contract
from streamer.inference.pixels import Pixels
from streamer.inference.tiling import sample_of_pixels
from streamer.values.clock import monotonic
from streamer.values.frame import Frame, Sample
from streamer.values.tiles import Tiles


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a picture comes from, as it was: another one, or a changed one, is looked at anew."""

    path: str
    """Absolute."""
    size: int
    """Bytes."""
    changed_ns: int
    """Nanoseconds since 1970."""

    @classmethod
    def of(cls, path: Path) -> "Origin":
        """As it is now. Raises OSError."""
        now = path.stat()
        return cls(os.path.realpath(path), now.st_size, now.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture in the model's own size."""

    name: str
    """As `Answer.name`."""
    origin: Origin
    sample: Sample
    seconds: float | None = None
    """As `Answer.seconds`."""
    jpeg: bytes | None = None
    """A frame as a file, where one is wanted."""


@dataclass(frozen=True, slots=True)
class Look:
    """How pictures are looked at."""

    contract: Contract
    """Of the model that is asked."""
    min_score: float
    """Less is not told."""
    tiles: Tiles
    """Parts that are looked at as well."""
    every: float | None
    """Seconds from one frame of a video to the next that is; None: each is."""


def sample_of(pixels: NDArray[np.uint8], look: Look) -> Sample:
    """A picture as the model wants it: `pixels` are uint8 [height, width, 3], RGB."""
    height, width = pixels.shape[:2]
    # Only its size is looked at: a bit a pixel, which nobody fills.
    frame = Frame("", 0, 0.0, monotonic(), av.VideoFrame(width, height, "monow"))
    return sample_of_pixels(frame, Pixels((pixels,)), look.contract, look.min_score, look.tiles)
