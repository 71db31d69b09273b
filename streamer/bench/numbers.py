"""A number drawn into a picture as black and white blocks, so that it survives H.264, a resize and a canvas.

Two rows of twelve blocks in the upper left corner, a sixteenth of the width and a twentieth of the height each: sixteen
bits of the number and eight of a check sum, the highest bit first.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 12, 2
ACROSS, DOWN = 16, 20
"""Blocks of this size to a picture's width and height."""
BLACK, WHITE = 16, 235
"""Of limited range, which is what video has."""


def check(number: int) -> int:
    """Eight bits that tell a number that was read from one that was not there."""
    return ((number & 255) * 7 + (number >> 8) * 41 + 0x5A) & 255


def draw(luma: NDArray[np.uint8], number: int) -> None:
    """Draw a number of sixteen bits into uint8 [height, width], in place."""
    height, width = luma.shape
    word = number << 8 | check(number)
    for place in range(COLUMNS * ROWS):
        row, column = divmod(place, COLUMNS)
        bit = word >> (COLUMNS * ROWS - 1 - place) & 1
        rows = slice(row * height // DOWN, (row + 1) * height // DOWN)
        columns = slice(column * width // ACROSS, (column + 1) * width // ACROSS)
        luma[rows, columns] = WHITE if bit else BLACK


def read(luma: NDArray[np.uint8]) -> int | None:
    """The number in uint8 [height, width]; None where there is none."""
    height, width = luma.shape
    down = ((np.arange(ROWS) + 0.5) * height / DOWN).astype(int)
    across = ((np.arange(COLUMNS) + 0.5) * width / ACROSS).astype(int)
    bits: NDArray[Any] = luma[np.ix_(down, across)].ravel() > (BLACK + WHITE) // 2
    word = int("".join("01"[int(bit)] for bit in bits), 2)
    return word >> 8 if check(word >> 8) == word & 255 else None


READ = """
(() => {
  const strip = document.createElement("canvas");
  [strip.width, strip.height] = [12 * 8, 2 * 8];
  const context = strip.getContext("2d", { willReadFrequently: true, alpha: false });
  return (picture, x, y, width, height) => {
    context.drawImage(picture, x, y, (width * 12) / 16, (height * 2) / 20, 0, 0, 12 * 8, 2 * 8);
    const { data } = context.getImageData(0, 0, 12 * 8, 2 * 8);
    let word = 0;
    for (const row of [4, 12])
      for (let column = 0; column < 12; column++) word = word * 2 + (data[(row * 96 + column * 8 + 4) * 4] > 125);
    const number = word >> 8;
    return (word & 255) === (((number & 255) * 7 + (number >> 8) * 41 + 0x5a) & 255) ? number : null;
  };
})()
"""
"""JavaScript: a function that gives the number, or null, in the picture of a <video> or <canvas>, by where it lies."""
