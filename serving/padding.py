"""What is added to tensors so that they fit into one batch (tensorflow_serving/batching/batching_util.cc)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import invalid_argument

MAX_RANK = 6
"""Of a tensor that can be padded; TensorFlow's own Pad op ends there too."""


def pad_rows(arrays: list[NDArray[Any]], count: int) -> NDArray[Any]:
    """All rows one after the other, and `count` copies of the first row of the last array: a row known to be valid."""
    if count:
        arrays = [*arrays, np.repeat(arrays[-1][:1], count, axis=0)]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def pad_to_largest(arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Every array as large as the largest in all dimensions but the first, filled up with its own first element.

    Raises:
        ServingError: the arrays differ in rank, are of more than MAX_RANK dimensions, or one is empty and others not.
    """
    if len({array.ndim for array in arrays}) > 1 or arrays[0].ndim > MAX_RANK:
        raise invalid_argument(f"Only tensors with rank from 1 to {MAX_RANK} can be padded.")
    largest = np.max([array.shape[1:] for array in arrays], axis=0)
    return [_pad(array, (len(array), *map(int, largest))) for array in arrays]


def _pad(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if array.shape == shape:
        return array
    if not array.size:
        raise invalid_argument("Got empty tensor in batch of non-empty tensors.")
    padded = np.full(shape, array.flat[0], array.dtype)
    padded[tuple(map(slice, array.shape))] = array
    return padded
