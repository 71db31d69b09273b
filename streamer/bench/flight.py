"""A flight over ground that never was, as a camera of 720p sends it, to measure what following it costs."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 1280, 720, 25
STEP = (6.0, 2.5)
"""Pixels from one frame to the next, right and down."""


def ground(width: int, height: int) -> NDArray[np.uint8]:
    """uint8 [height, width]: blobs of every size from four pixels on."""
    dice, heap = np.random.default_rng(1), np.zeros((height, width), np.float32)
    for side, weight in ((4, 1.0), (16, 1.5), (80, 2.0)):
        coarse = dice.normal(size=(height // side + 2, width // side + 2)).astype(np.float32)
        heap += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 22 * heap, 0, 255).astype(np.uint8)


def record(clip: Path, frames: int) -> None:
    """Write the flight, as H.264 without B-frames, as cameras send it."""
    _write(clip, frames, (WIDTH, HEIGHT), RATE, {"crf": "23"})


def film(clip: Path, size: tuple[int, int], megabits: float, *, rate: int = 30, seconds: float = 10.0) -> Path:
    """Write a flight of another size, of so many megabits a second whatever there is to be seen; returns `clip`."""
    bits = str(round(megabits * 1e6))
    params = {"x264-params": "nal-hrd=cbr:force-cfr=1", "b": bits, "minrate": bits, "maxrate": bits, "bufsize": bits}
    _write(clip, round(rate * seconds), size, rate, params)
    return clip


def _write(clip: Path, frames: int, size: tuple[int, int], rate: int, quality: dict[str, str]) -> None:
    width, height = size
    below = ground(width + int(STEP[0] * frames) + 1, height + int(STEP[1] * frames) + 1)
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    with av.open(str(clip), "w") as sink:
        options = {"preset": "veryfast", "bf": "0", "g": str(rate)} | quality
        out = sink.add_stream("libx264", rate=rate, options=options)
        out.width, out.height, out.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            x, y = (round(step * number) for step in STEP)
            planes[:height] = below[y : y + height, x : x + width]
            sink.mux(out.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        sink.mux(out.encode(None))


def flown(clip: Path) -> Iterator[av.VideoFrame]:
    """Its pictures, decoded in this very thread."""
    with av.open(str(clip)) as source:
        source.streams.video[0].thread_type = "NONE"
        yield from source.decode(video=0)


def boxes_at(number: int, things: int) -> NDArray[np.float64]:
    """[things, 4]: where a model sees as many things that stand on the ground, in frame `number`, in pixels.

    Edges are wrong by two pixels, each time otherwise.
    """
    places = np.random.default_rng(things)
    middles, sides = places.uniform(0, (WIDTH, HEIGHT), (things, 2)), places.uniform(30, 80, (things, 2))
    middles = middles - np.array(STEP) * number
    errors = np.random.default_rng(number).normal(0, 2, (things, 4))
    return np.hstack([middles - sides / 2, middles + sides / 2]) + errors
