"""Pictures of something, moved as a camera would move them: a texture without end, and views of it."""

from collections.abc import Iterator
from functools import lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.similarity import Similarity


@lru_cache(maxsize=8)
def texture(seed: int = 0, size: int = 2048) -> NDArray[np.uint8]:
    """uint8 [size, size]: blobs of every width from three pixels on. Read only."""
    dice, sum_ = np.random.default_rng(seed), np.zeros((size, size), np.float32)
    for step, weight in ((3, 1.0), (12, 1.5), (60, 2.0)):
        coarse = dice.normal(size=(size // step + 2, size // step + 2)).astype(np.float32)
        sum_ += weight * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 22 * sum_, 0, 255).astype(np.uint8)


def view(place: Similarity, size: tuple[int, int] = (320, 180), *, seed: int = 0) -> NDArray[np.uint8]:
    """What a camera of this many pixels sees, whose picture `place` leads to from the texture's own pixels."""
    half = 0.5 + 0.5j
    shift = place.turn * half + place.shift - half  # OpenCV counts from the middle of a pixel, boxes from its edge
    matrix = np.array([[place.turn.real, -place.turn.imag, shift.real], [place.turn.imag, place.turn.real, shift.imag]])
    return np.asarray(cv2.warpAffine(texture(seed), matrix, size, flags=cv2.INTER_LINEAR), np.uint8)


def flight(step: Similarity, count: int, start: complex = -800 - 800j) -> Iterator[Similarity]:
    """The places of a camera that makes the same step from each picture to the next."""
    place = Similarity(1, start)
    for _ in range(count):
        yield place
        place = step.after(place)


def noise(plane: NDArray[np.uint8], sigma: float, seed: int) -> NDArray[np.uint8]:
    """The plane as a camera's sensor would have it in the dark."""
    noisy = plane + np.random.default_rng(seed).normal(0, sigma, plane.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def picture_of(luma: NDArray[np.uint8]) -> av.VideoFrame:
    """A decoder's picture that has this luma."""
    rows, columns = luma.shape
    planes = np.full((rows * 3 // 2, columns), 128, np.uint8)
    planes[:rows] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")
