"""What an export came to, for the person who waited for it."""

from dataclasses import dataclass
from pathlib import Path

from export.check import Check
from export.request import Request
from serving.signature import Contract


@dataclass(frozen=True)
class Report:
    """A finished export."""

    version: Path
    """The published version directory."""
    request: Request
    contract: Contract
    checks: list[Check]
    notes: list[str]

    @property
    def size(self) -> int:
        """Bytes of the version directory."""
        return sum(path.stat().st_size for path in self.version.rglob("*") if path.is_file())

    def text(self, seconds: float) -> str:
        """A few lines: what, where, size, labels, checks, seconds."""
        contract, source = self.contract, self.request.source
        built = f", built by {self.request.builder}" if self.request.builder else ""
        bars = f", grey {contract.pad_value}" if contract.resize == "letterbox" else ""
        lines = [
            f"exported {self.version}",
            f"  source    {source.kind} {source.path.name}, {megabytes(source.size)}{built}",
            f"  model     {contract.name}, {megabytes(self.size)}, min_score {contract.min_score:g}",
            f"  input     uint8 [N, {contract.height}, {contract.width}, 3] RGB, {contract.resize}{bars}; "
            f"batch {contract.provenance['batch']}",
            f"  labels    {_labels(contract.labels)}",
            f"  checks    all {len(self.checks)} passed: {', '.join(check.name for check in self.checks)}",
            *(f"  note      {note}" for note in self.notes),
            f"  took      {seconds:.1f} s",
        ]
        return "\n".join(lines)


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _labels(labels: dict[int, str]) -> str:
    shown = [f"{class_id} {name}" for class_id, name in list(labels.items())[:8]]
    more = f", and {len(labels) - len(shown)} more" if len(labels) > len(shown) else ""
    return f"{len(labels)}: {', '.join(shown)}{more}"
