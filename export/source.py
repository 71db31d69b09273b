"""A path becomes a source: which kind of model lies there and which files it consists of. Needs no TensorFlow."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from sightline_export.checkpoint_files import META, checkpoint_files, latest, prefix_of, prefixes_in
from sightline_export.errors import Unusable

BUNDLED_CHECKPOINT = Path(str(files("sightline_models") / "insulators" / "checkpoint"))
BUNDLED_BUILDER = "sightline_models.insulators.network:build"


class Kind(StrEnum):
    """The kinds of source an export starts from; the value is how a person calls them."""

    CHECKPOINT = "TF2 checkpoint"
    TF1_CHECKPOINT = "TF1 checkpoint"
    FROZEN_GRAPH = "TF1 frozen graph"
    KERAS = "Keras model"
    SAVED_MODEL = "SavedModel"
    PIPELINE = "Object Detection API pipeline"


READABLE = (
    "a checkpoint of TF2 (ckpt-N or its directory) or TF1 (model.ckpt-N with its .meta), a TF1 frozen graph (.pb), "
    "a Keras model (.keras, .h5), a SavedModel directory or a pipeline.config"
)


@dataclass(frozen=True)
class Source:
    """A model as training left it."""

    kind: Kind
    path: Path
    """What TensorFlow is given: the checkpoint's prefix, the file, or the SavedModel's directory."""
    files: dict[str, Path]
    """The files the model consists of, by a name without the directories above them."""
    checkpoint: Path | None = None
    """The prefix of the checkpoint that belongs to a pipeline.config."""

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


def recognise(path: Path, checkpoint_dir: Path | None = None) -> Source:
    """Say what lies at `path`: a file, a directory, or the prefix of a checkpoint.

    Args:
        path: what the user named.
        checkpoint_dir: where the checkpoint of a pipeline.config lies; beside it, if left out.

    Raises:
        Unusable: nothing is there, a part is missing, or it is of a kind that is not read.
    """
    if path.suffix == ".config" and path.is_file():
        return _pipeline(path, checkpoint_dir)
    if checkpoint_dir is not None:
        raise Unusable(f"--checkpoint_dir belongs to a pipeline.config, and {path} is none")
    if path.is_dir():
        return _directory(path)
    if path.name == "saved_model.pb" and path.is_file():
        return _saved_model(path.parent)
    if path.suffix in _FILES and path.is_file():
        return Source(_FILES[path.suffix], path, {path.name: path})
    if prefix := prefix_of(path):
        return _checkpoint(prefix)
    if path.is_file():
        raise Unusable(f"{path} is a {path.suffix or 'plain'} file; an export starts from {READABLE}")
    raise Unusable(f"{path} does not exist; an export starts from {READABLE}")


_FILES = {".pb": Kind.FROZEN_GRAPH, ".keras": Kind.KERAS, ".h5": Kind.KERAS, ".hdf5": Kind.KERAS}


def _directory(path: Path) -> Source:
    # An export's directory of the Object Detection API holds its SavedModel beside the checkpoint it was made from.
    for directory in (path, path / "saved_model"):
        if (directory / "saved_model.pb").is_file():
            return _saved_model(directory)
    versions = sorted(int(p.parent.name) for p in path.glob("*/saved_model.pb") if p.parent.name.isdecimal())
    if versions:
        return _saved_model(path / str(versions[-1]))
    if (path / "checkpoint").is_file():
        return _checkpoint(latest(path))
    prefixes = prefixes_in(path)
    if len(prefixes) == 1:
        return _checkpoint(path / prefixes[0])
    if prefixes:
        raise Unusable(f"{path} holds several checkpoints ({', '.join(prefixes)}): name one of them")
    files = sorted(p.name for p in path.iterdir() if p.suffix in _FILES)
    if len(files) == 1:
        return recognise(path / files[0])
    found = ", ".join(sorted(p.name for p in path.iterdir())[:6]) or "nothing"
    raise Unusable(f"{path} holds no model ({found} found there); an export starts from {READABLE}")


def _checkpoint(prefix: Path) -> Source:
    files = checkpoint_files(prefix)
    kind = Kind.TF1_CHECKPOINT if f"{prefix.name}{META}" in files else Kind.CHECKPOINT
    return Source(kind, prefix, files)


def _pipeline(path: Path, checkpoint_dir: Path | None) -> Source:
    """A pipeline.config and its newest checkpoint: beside it, or in `checkpoint` as the model zoo has it."""
    beside = path.parent / "checkpoint"
    directory = checkpoint_dir or (beside if beside.is_dir() else path.parent)
    if not directory.is_dir():
        raise Unusable(f"--checkpoint_dir {directory} is no directory")
    if not (directory / "checkpoint").is_file():
        raise Unusable(f"{directory} holds no checkpoint for {path}: name its directory with --checkpoint_dir DIR")
    found = _checkpoint(latest(directory))
    if found.kind is Kind.TF1_CHECKPOINT:
        raise Unusable(f"{found.path} is a {found.kind}, whose graph is in its .meta: name it in place of {path}")
    return Source(Kind.PIPELINE, path, {path.name: path, **found.files}, found.path)


def _saved_model(path: Path) -> Source:
    files = {str(p.relative_to(path)): p for p in sorted(path.rglob("*")) if p.is_file()}
    return Source(Kind.SAVED_MODEL, path, files)
