"""Which versions lie under a model's base path. Reads directory entries only."""

import os
from pathlib import Path

SAVED_MODEL = "saved_model.pb"
_LARGEST = 2**63 - 1
"""A version is an int64 on the wire."""


def find_versions(base_path: Path) -> dict[int, Path]:
    """Version number to directory: the children of `base_path` whose name is a whole number.

    As in TensorFlow Serving, names that start with a dot or hold anything but digits are none of ours: a version is
    copied under such a name and renamed when it is whole. Of `1` and `001` the later name in order wins.

    Raises:
        OSError: `base_path` cannot be listed.
    """
    return {
        int(path.name): path
        for path in sorted(base_path.iterdir())
        if path.name.isascii() and path.name.isdigit() and int(path.name) <= _LARGEST and path.is_dir()
    }


def fingerprint(version_path: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes while a version is still being copied: name, size and time of each of its files."""
    found = []
    for directory, _, names in os.walk(version_path):  # leaves out what vanishes under it, unlike Path.rglob
        for name in names:
            path = Path(directory, name)
            try:
                stat = path.stat()
            except OSError:
                continue  # gone between listing and reading
            found.append((str(path.relative_to(version_path)), stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))


def why_no_versions(model: str, base_path: Path) -> str:
    """TensorFlow Serving's hint for a base path without versions, and a better one where the mistake can be seen."""
    hint = (
        f"No versions of servable {model} found under base path {base_path}. "
        "Did you forget to name your leaf directory as a number (eg. '/1/')?"
    )
    if (base_path / SAVED_MODEL).exists():
        hint += f" {base_path} is itself a SavedModel: name the directory that holds it, {base_path.parent}."
    return hint
