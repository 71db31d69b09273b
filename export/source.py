"""A path becomes a source: which kind of model lies there and which files it consists of. Needs no TensorFlow."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from export.errors import Unusable

BUNDLED_CHECKPOINT = Path(__file__).parent.parent / "models" / "insulators" / "checkpoint"
BUNDLED_BUILDER = "models.insulators.network:build"


class Kind(StrEnum):
    """The kinds of source an export starts from; the value is how a person calls them."""

    CHECKPOINT = "TF2 checkpoint"
    FROZEN_GRAPH = "TF1 frozen graph"
    SAVED_MODEL = "SavedModel"


READABLE = "a TF2 checkpoint (ckpt-N or its directory), a TF1 frozen graph (.pb) or a SavedModel directory"

_SHARD = re.compile(r"(?P<prefix>.+)\.data-(?P<index>\d{5})-of-(?P<count>\d{5})")
_LATEST = re.compile(r'^model_checkpoint_path:\s*"(?P<prefix>[^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A model as training left it."""

    kind: Kind
    path: Path
    """What TensorFlow is given: the checkpoint's prefix, the .pb file, or the SavedModel's directory."""
    files: dict[str, Path]
    """The files the model consists of, by a name without the directories above them."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files.values())

    def sha256(self) -> dict[str, str]:
        """The digest of every file, by name."""
        return {name: sha256(path) for name, path in sorted(self.files.items())}


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal.

    Raises:
        Unusable: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error


def recognise(path: Path) -> Source:
    """Say what lies at `path`: a file, a directory, or the prefix of a checkpoint.

    Raises:
        Unusable: nothing is there, a part is missing, or it is of a kind that is not read.
    """
    if path.is_dir():
        return _directory(path)
    if path.suffix == ".pb" and path.is_file():
        if path.name == "saved_model.pb":
            return _saved_model(path.parent)
        return Source(Kind.FROZEN_GRAPH, path, {path.name: path})
    if path.suffix in (".index", ".meta"):
        return _checkpoint(path.with_suffix(""))
    if shard := _SHARD.fullmatch(path.name):
        return _checkpoint(path.parent / shard["prefix"])
    if path.is_file():
        raise Unusable(f"{path} is a {path.suffix or 'plain'} file; an export starts from {READABLE}")
    if _parts(path):
        return _checkpoint(path)
    raise Unusable(f"{path} does not exist; an export starts from {READABLE}")


def _directory(path: Path) -> Source:
    if (path / "saved_model.pb").is_file():
        return _saved_model(path)
    versions = sorted(int(p.parent.name) for p in path.glob("*/saved_model.pb") if p.parent.name.isdecimal())
    if versions:
        return _saved_model(path / str(versions[-1]))
    if (path / "checkpoint").is_file():
        return _checkpoint(_latest(path))
    prefixes = sorted({p.with_suffix("").name for p in path.glob("*.index")})
    if len(prefixes) == 1:
        return _checkpoint(path / prefixes[0])
    if prefixes:
        raise Unusable(f"{path} holds several checkpoints ({', '.join(prefixes)}): name one of them")
    graphs = sorted(p.name for p in path.glob("*.pb"))
    if len(graphs) == 1:
        return recognise(path / graphs[0])
    found = ", ".join(sorted(p.name for p in path.iterdir())[:6]) or "nothing"
    raise Unusable(f"{path} holds no model ({found} found there); an export starts from {READABLE}")


def _latest(directory: Path) -> Path:
    """The newest checkpoint, from the text file `checkpoint` that tf.train.CheckpointManager keeps."""
    match = _LATEST.search((directory / "checkpoint").read_text(errors="replace"))
    if match is None:
        raise Unusable(f"{directory / 'checkpoint'} names no checkpoint (no line model_checkpoint_path)")
    # Absolute names are kept only where they still hold: a checkpoint directory may have been moved.
    named = directory / match["prefix"]
    prefix = named if _parts(named) else directory / Path(match["prefix"]).name
    if not _parts(prefix):
        there = ", ".join(sorted({p.with_suffix("").name for p in directory.glob("*.index")})) or "none"
        raise Unusable(f"{directory / 'checkpoint'} names {match['prefix']}, which is not there; there: {there}")
    return prefix


def _parts(prefix: Path) -> list[Path]:
    if not prefix.name or not prefix.parent.is_dir():
        return []
    return [p for p in prefix.parent.iterdir() if p.name == f"{prefix.name}.index" or _is_shard(p.name, prefix.name)]


def _is_shard(name: str, prefix: str) -> bool:
    shard = _SHARD.fullmatch(name)
    return shard is not None and shard["prefix"] == prefix


def _checkpoint(prefix: Path) -> Source:
    parts = {part.name: part for part in _parts(prefix)}
    if not parts:
        raise Unusable(f"there is no checkpoint {prefix}: neither {prefix.name}.index nor {prefix.name}.data-… exists")
    index = f"{prefix.name}.index"
    shards = sorted(name for name in parts if name != index)
    if index not in parts:
        raise Unusable(f"checkpoint {prefix} lacks its index: {index} is missing beside {shards[0]}")
    count = int(shards[0].rsplit("-", 1)[1]) if shards else 1
    for number in range(count):
        if (shard := f"{prefix.name}.data-{number:05d}-of-{count:05d}") not in parts:
            raise Unusable(f"checkpoint {prefix} lacks its weights: {shard} is missing beside {index}")
    if prefix.with_name(f"{prefix.name}.meta").is_file():
        raise Unusable(f"{prefix} is a TF1 checkpoint ({prefix.name}.meta beside it); an export starts from {READABLE}")
    return Source(Kind.CHECKPOINT, prefix, dict(sorted(parts.items())))


def _saved_model(path: Path) -> Source:
    files = {str(p.relative_to(path)): p for p in sorted(path.rglob("*")) if p.is_file()}
    return Source(Kind.SAVED_MODEL, path, files)
