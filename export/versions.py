"""Numbered version directories, as TensorFlow Serving polls them: MODELS/NAME/1, 2, 3.

A version is written into a directory whose name starts with a dot, which every server ignores (a version is a number),
and renamed in one step, so that nobody ever sees half a model.
"""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline_export.errors import Unusable

FROZEN_FILE = "assets.extra/frozen_inference_graph.pb"
"""The frozen graph in a version directory: beside the SavedModel, where servers read only what they know."""


def versions(output: Path) -> list[int]:
    """The version numbers in `output`, ascending; empty where the directory does not exist."""
    if not output.is_dir():
        return []
    return sorted(int(p.name) for p in output.iterdir() if p.name.isdecimal() and p.is_dir())


@contextmanager
def staging(output: Path) -> Iterator[Path]:
    """An empty directory inside `output` to write a version into; whatever is left of it at the end is removed.

    Directories that had to be created on the way and are still empty at the end are removed as well.

    Raises:
        Unusable: `output` cannot be created or written.
    """
    created: list[Path] = []
    try:
        created = [directory for directory in (output, *output.parents) if not directory.exists()]
        output.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix=".export-", dir=output))
        # mkdtemp makes it private; the model server may well run as another user.
        directory.chmod(0o755)
    except OSError as error:
        _remove_empty(created)
        raise Unusable(f"cannot write to {output}: {error.strerror}") from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _remove_empty(created)


def _remove_empty(directories: list[Path]) -> None:
    for directory in directories:
        try:
            directory.rmdir()
        except OSError:
            return


def publish(staged: Path, output: Path) -> Path:
    """Rename `staged` to the next free version of `output`, and say which it became.

    Raises:
        Unusable: the rename fails for another reason than that a concurrent export took the number.
    """
    version = max(versions(output), default=0) + 1
    while True:
        target = output / str(version)
        try:
            staged.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise Unusable(f"cannot write {target}: {error.strerror}") from error
            version += 1
        else:
            return target
