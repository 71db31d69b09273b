"""What a thing looked like: its frame as it was, and a small picture of it and what is around. Blocks: for a thread."""

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamer.values.event import Box, Boxed, Picture
from streamer.values.frame import Frame

QUALITY = 90
"""JPEG's, of the whole: it may be trained on."""
THUMBNAIL_QUALITY = 80
THUMBNAIL = (320, 180)
"""Width and height, in pixels."""
AROUND = 0.6
"""How much of a thing's own size is shown around it on each side."""


def portray(frame: Frame, box: Box, boxes: tuple[Boxed, ...], reformatter: VideoReformatter | None = None) -> Picture:
    """Picture a thing.

    Args:
        frame: it was seen in; nothing is drawn on it.
        box: where it is there.
        boxes: of all that was detected in it, which go beside the picture.
        reformatter: of this thread, for who asks often.
    """
    pixels = frame.rgb(reformatter or VideoReformatter())
    return Picture(_jpeg(pixels, QUALITY), _jpeg(thumbnail(pixels, box), THUMBNAIL_QUALITY), boxes)


def thumbnail(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """A thing and what is around it.

    Args:
        pixels: uint8 [height, width, 3].
        box: in pixels of it.

    Returns:
        uint8 [h, w, 3] of the shape of THUMBNAIL, or of the picture's where that is the narrower or the flatter one.
    """
    height, width = pixels.shape[:2]
    x_min, x_max, y_min, y_max = window(box, width, height)
    cut = pixels[y_min:y_max, x_min:x_max]
    scale = min(1.0, THUMBNAIL[0] / cut.shape[1], THUMBNAIL[1] / cut.shape[0])
    size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


def window(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of a picture around a box, of THUMBNAIL's shape where it has room: x_min, x_max, y_min, y_max."""
    x_min, y_min, x_max, y_max = box
    aspect = THUMBNAIL[0] / THUMBNAIL[1]
    wide = max(x_max - x_min, (y_max - y_min) * aspect, 1.0) * (1 + 2 * AROUND)
    wide = min(max(wide, THUMBNAIL[0] / 2), width)
    high = min(wide / aspect, height)
    left = min(max((x_min + x_max - wide) / 2, 0), width - wide)
    top = min(max((y_min + y_max - high) / 2, 0), height - high)
    return _inside(left, left + wide, width) + _inside(top, top + high, height)


def _inside(low: float, high: float, size: int) -> tuple[int, int]:
    """At least one pixel of a side."""
    begin = min(max(int(low), 0), size - 1)
    return begin, max(begin + 1, min(round(high), size))


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {pixels.shape} cannot be a JPEG")
    return np.asarray(data).tobytes()
