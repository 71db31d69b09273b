"""One export, fully described before TensorFlow is imported."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from serving.signature import CONTRACT_FILE, Contract, ContractError, ResizeRule
from sightline_export.builder import find_builder
from sightline_export.decoding import Decoding, read_decoding
from sightline_export.source import Source, sha256
from sightline_export.tensors import TensorNames
from sightline_export.versions import versions

EXPORTER_VERSION = 4
"""Goes up whenever the same source would be written as a different model."""


@dataclass(frozen=True)
class Request:
    """What to export, where to, and what the caller decides instead of the source."""

    source: Source
    output: Path
    """The model's directory; its versions are numbered directories inside."""
    name: str
    labels: Path | None = None
    builder: str | None = None
    """As the caller names it: see `sightline_export.builder`."""
    tensors: TensorNames = field(default_factory=TensorNames)
    """Which tensors of the source are what, where that is not to be recognised."""
    decode: Path | None = None
    """The YAML that says how a raw head is meant."""
    input_size: tuple[int, int] | None = None
    """Width and height in pixels, where the source does not fix them or another size is wanted."""
    resize: ResizeRule | None = None
    min_score: float | None = None
    findings: tuple[str, ...] | None = None
    """The labels to set apart; None where their names decide."""
    pictures: Path | None = None
    """A directory of pictures for the proof."""
    keep_pictures: bool = False
    """Keep those pictures with the version; without, only what was found on them."""
    frozen: bool = False
    """Write the graph with its weights as one file as well."""

    @cached_property
    def decoding(self) -> Decoding | None:
        """What `decode` says; None where there is no such file."""
        return None if self.decode is None else read_decoding(self.decode)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: file names without directories, and digests; equal for equal exports."""
        found: dict[str, Any] = {
            "kind": str(self.source.kind),
            "files": self.source.sha256(),
            "exporter": EXPORTER_VERSION,
        }
        if self.builder is not None:
            builder = find_builder(self.builder)
            found["builder"] = {"name": builder.name, "sha256": builder.sha256}
        if self.labels is not None:
            found["label_map"] = {"file": self.labels.name, "sha256": sha256(self.labels)}
        if self.tensors != TensorNames():
            found["tensors"] = asdict(self.tensors)
        if self.decoding is not None:
            found["decode"] = self.decoding.model_dump(mode="json", exclude_unset=True)
        return found

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything that decides what is written."""
        decisive = [self.provenance, self.name, self.input_size, self.resize, self.min_score, self.findings]
        decisive += [self.keep_pictures, self.frozen]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def already_exported(self) -> Path | None:
        """The newest version in the output directory, if this very request made it."""
        numbers = versions(self.output)
        if not numbers:
            return None
        newest = self.output / str(numbers[-1])
        try:
            contract = Contract.from_json((newest / CONTRACT_FILE).read_text())
        except (OSError, ContractError):
            return None
        if not (newest / "saved_model.pb").is_file():
            return None
        return newest if contract.provenance.get("fingerprint") == self.fingerprint else None
