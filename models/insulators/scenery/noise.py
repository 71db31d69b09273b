"""Fractal noise, the grain of everything that is not made by people."""

import cv2
import numpy as np
from numpy.typing import NDArray


def fractal(
    shape: tuple[int, int], cells: float, rng: np.random.Generator, *, octaves: int = 5, fade: float = 0.5
) -> NDArray[np.float32]:
    """Smooth noise in about -1..1.

    Args:
        shape: (rows, columns).
        cells: how many of the coarsest bumps fit into the width.
        rng: where the numbers come from.
        octaves: layers, each twice as fine as the one before.
        fade: strength of a layer against the one before.
    """
    total = np.zeros(shape, np.float32)
    strength = 1.0
    for octave in range(octaves):
        columns = int(np.ceil(cells * 2**octave)) + 3
        rows = int(np.ceil(cells * 2**octave * shape[0] / shape[1])) + 3
        if columns >= shape[1]:
            break
        grid = rng.standard_normal((rows, columns), dtype=np.float32)
        total += strength * cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        strength *= fade
    return np.asarray(np.tanh(total / 1.6), np.float32)
