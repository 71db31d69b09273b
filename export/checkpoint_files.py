"""The files of a checkpoint: PREFIX.index, PREFIX.data-00000-of-00001 and, from TensorFlow 1, PREFIX.meta. Pure."""

import re
from pathlib import Path

from sightline_export.errors import Unusable

META = ".meta"
"""Where TensorFlow 1 keeps the graph; TensorFlow 2 has no such file."""

_SHARD = re.compile(r"(?P<prefix>.+)\.data-(?P<index>\d{5})-of-(?P<count>\d{5})")
_LATEST = re.compile(r'^model_checkpoint_path:\s*"(?P<prefix>[^"]+)"', re.MULTILINE)


def prefix_of(path: Path) -> Path | None:
    """The prefix that any of a checkpoint's names means; None where none of its files is there."""
    if path.suffix in (".index", META):
        return path.with_suffix("")
    if shard := _SHARD.fullmatch(path.name):
        return path.parent / shard["prefix"]
    return path if not path.exists() and _parts(path) else None


def prefixes_in(directory: Path) -> list[str]:
    """The checkpoints of a directory."""
    return sorted({path.with_suffix("").name for path in directory.glob("*.index")})


def latest(directory: Path) -> Path:
    """The newest checkpoint's prefix, from the text file `checkpoint` that TensorFlow keeps.

    Raises:
        Unusable: the file names none, or one that is not there.
    """
    match = _LATEST.search((directory / "checkpoint").read_text(errors="replace"))
    if match is None:
        raise Unusable(f"{directory / 'checkpoint'} names no checkpoint (no line model_checkpoint_path)")
    # Absolute names are kept only where they still hold: a checkpoint directory may have been moved.
    named = directory / match["prefix"]
    prefix = named if _parts(named) else directory / Path(match["prefix"]).name
    if not _parts(prefix):
        there = ", ".join(prefixes_in(directory)) or "none"
        raise Unusable(f"{directory / 'checkpoint'} names {match['prefix']}, which is not there; there: {there}")
    return prefix


def checkpoint_files(prefix: Path) -> dict[str, Path]:
    """All files of a checkpoint by name, the .meta too where there is one.

    Raises:
        Unusable: one is missing.
    """
    parts = {part.name: part for part in _parts(prefix)}
    index, meta = f"{prefix.name}.index", f"{prefix.name}{META}"
    shards = sorted(name for name in parts if name not in (index, meta))
    if not parts:
        raise Unusable(f"there is no checkpoint {prefix}: neither {index} nor {prefix.name}.data-… exists")
    if not (shards or index in parts):
        both = f"{index} and {prefix.name}.data-…"
        raise Unusable(f"checkpoint {prefix} lacks its index and weights: {both} are missing beside {meta}")
    if index not in parts:
        raise Unusable(f"checkpoint {prefix} lacks its index: {index} is missing beside {shards[0]}")
    count = int(shards[0].rsplit("-", 1)[1]) if shards else 1
    for number in range(count):
        if (shard := f"{prefix.name}.data-{number:05d}-of-{count:05d}") not in parts:
            raise Unusable(f"checkpoint {prefix} lacks its weights: {shard} is missing beside {index}")
    return dict(sorted(parts.items()))


def _parts(prefix: Path) -> list[Path]:
    if not prefix.name or not prefix.parent.is_dir():
        return []
    names = (f"{prefix.name}.index", f"{prefix.name}{META}")
    return [path for path in prefix.parent.iterdir() if path.name in names or _is_shard(path.name, prefix.name)]


def _is_shard(name: str, prefix: str) -> bool:
    shard = _SHARD.fullmatch(name)
    return shard is not None and shard["prefix"] == prefix
