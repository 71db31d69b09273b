"""What a run that was killed left half written: files of `values.whole_file`, beside those they were to become."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_HALF = re.compile(r"\.(?P<name>.+\.\w+)\.[a-z0-9_]{8}")
"""A dot, the name it was to have, and mkstemp's eight characters."""


def remove_leftovers(folder: Path, names: Iterable[str], below: Iterable[str]) -> None:
    """Remove them. Blocks.

    Args:
        folder: of the output.
        names: of files in it that are ours.
        below: folders in it in which all files of such names are.
    """
    ours = set(names)
    for path in _hidden(folder, recursive=False):
        if (half := _HALF.fullmatch(path.name)) and half["name"] in ours:
            _remove(path)
    for name in below:
        for path in _hidden(folder / name, recursive=True):
            if _HALF.fullmatch(path.name):
                _remove(path)


def _hidden(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        if not recursive:
            folders.clear()
        yield from (Path(at, name) for name in files if name.startswith("."))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
