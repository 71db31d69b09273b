"""One picture on its way to the model: a photo, or a frame of a video. A value."""

import os
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import Contract
from streamer.values.clock import monotonic
from streamer.values.frame import Frame, Sample


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


def sample_of(pixels: NDArray[np.uint8], contract: Contract, min_score: float) -> Sample:
    """A picture as the model wants it.

    Args:
        pixels: uint8 [height, width, 3], RGB.
        contract: the model's.
        min_score: less is not told.
    """
    height, width = pixels.shape[:2]
    resize = Resize.fit((width, height), (contract.width, contract.height), contract.resize, contract.pad_value)
    # Only its size is looked at: a bit a pixel, which nobody fills.
    frame = Frame("", 0, 0.0, monotonic(), av.VideoFrame(width, height, "monow"))
    return Sample(frame, resize.apply(pixels), min_score)
