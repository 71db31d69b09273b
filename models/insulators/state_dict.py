"""The tensors of a file that PyTorch saved, without PyTorch: its wheel is a hundred times the file.

The format before PyTorch 1.6: four pickles (magic, protocol, system, the object), a pickle of storage keys, and each
storage as a little-endian count and its raw numbers (torch/serialization.py, `_legacy_save`).
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = 0x1950A86A20F9469CFC6C
DTYPES: Final[dict[str, np.dtype[Any]]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Reader(pickle.Unpickler):
    """Knows what a state dict is made of and nothing else, so that a file can run no code here."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a file of tensors")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, storage, key, *_ = pid
        return key, storage


def read_tensors(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read a state dict.

    Returns:
        Tensors by name, in the file's order.

    Raises:
        pickle.UnpicklingError: it is not such a file, or holds more than tensors.
    """
    with Path(path).open("rb") as file:
        if _Reader(file).load() != MAGIC:
            raise pickle.UnpicklingError(f"{path}: not a file of tensors as PyTorch wrote it before 1.6")
        for _ in ("protocol", "system"):
            _Reader(file).load()
        tensors = _Reader(file).load()
        dtypes: dict[str, np.dtype[Any]] = {key: DTYPES[kind] for (key, kind), *_ in tensors.values()}
        numbers = {key: _read_storage(file, dtypes[key]) for key in _Reader(file).load()}
    return {
        name: np.lib.stride_tricks.as_strided(
            numbers[storage[0]][offset:], size, [step * numbers[storage[0]].itemsize for step in stride]
        ).copy()
        for name, (storage, offset, size, stride) in tensors.items()
    }


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = int(np.frombuffer(file.read(8), "<i8")[0])
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)
