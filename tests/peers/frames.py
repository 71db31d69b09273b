"""Values the stages pass on, made as the stages before would make them: real pictures, arrays of the right dtype."""

from collections.abc import Sequence
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from streamer.values.detections import Detections
from streamer.values.frame import Frame, Sample


@lru_cache(maxsize=32)
def make_picture(
    width: int = 64, height: int = 48, *, seed: int | None = None, pixel_format: str = "yuv420p"
) -> av.VideoFrame:
    """A decoder's picture: mid-grey, or smooth blobs that a seed draws. Read only: it is made once."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    if seed is not None:
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
        for channel, (x, y, phase) in enumerate(np.random.default_rng(seed).uniform(0.5, 3, (3, 3))):
            wave = np.sin(x * columns / width * 6 + phase) * np.cos(y * rows / height * 6)
            pixels[:, :, channel] = (128 + 90 * wave).astype(np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)


def make_frame(
    pts: float = 0.0,
    received_at: float | None = None,
    *,
    stream: str = "line-1",
    index: int = 0,
    picture: av.VideoFrame | None = None,
) -> Frame:
    """A frame that arrived 1000 seconds after the clock's origin plus its pts, unless told otherwise."""
    return Frame(stream, index, pts, 1000.0 + pts if received_at is None else received_at, picture or make_picture())


def make_sample(frame: Frame, *, size: tuple[int, int] = (32, 32), value: int = 0, min_score: float = 0.0) -> Sample:
    """A frame as the model wants it: `size` is (width, height), every pixel is `value`."""
    return Sample(frame, np.full((size[1], size[0], 3), value, np.uint8), min_score)


def make_detections(
    pts: float,
    boxes: Sequence[Sequence[float]] = (),
    *,
    stream: str = "line-1",
    class_ids: Sequence[int] | None = None,
    scores: Sequence[float] | None = None,
    size: tuple[int, int] = (64, 48),
    received_at: float | None = None,
    age: float = 0.05,
) -> Detections:
    """One frame's answer: class `n` is called "class n", and scores fall from 0.9."""
    count = len(boxes)
    ids: NDArray[np.int64] = np.asarray([1] * count if class_ids is None else class_ids, np.int64)
    arrived = 1000.0 + pts if received_at is None else received_at
    return Detections(
        stream=stream,
        pts=pts,
        received_at=arrived,
        answered_at=arrived + age,
        model="insulators",
        version=1,
        width=size[0],
        height=size[1],
        boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        scores=np.asarray([0.9 - 0.01 * row for row in range(count)] if scores is None else scores, np.float32),
        class_ids=ids,
        labels=tuple(f"class {class_id}" for class_id in ids),
    )
