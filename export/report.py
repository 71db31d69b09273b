"""What an export came to, for the person who waited for it."""

import resource
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.signature import Contract
from sightline_export.check import Check
from sightline_export.golden import GOLDEN
from sightline_export.request import Request
from sightline_export.versions import FROZEN_FILE


@dataclass(frozen=True)
class Report:
    """A finished export."""

    version: Path
    """The published version directory."""
    request: Request
    contract: Contract
    checks: list[Check]
    notes: list[str]

    def text(self, seconds: float) -> str:
        """A few lines: what, where, sizes, what was changed, checks, how to serve it, seconds and memory."""
        source = self.request.source
        built = f", built by {self.request.builder}" if self.request.builder else ""
        tolerance = self.contract.provenance["tolerance"]
        lines = [
            f"exported {self.version}",
            f"  source    {source.kind} {source.path.name}, {megabytes(source.size)}{built}",
            *model_lines(self.version, self.contract),
            f"  checks    all {len(self.checks)} passed, within {tolerance:g}: "
            f"{', '.join(check.name for check in self.checks)}",
            *(f"  note      {note}" for note in self.notes),
            f"  serve     {serve_command(self.contract.name, self.version.parent)}",
            f"  check     sightline export --check {shlex.quote(str(self.version))}",
            f"  took      {seconds:.1f} s, at most {_peak_memory()} of memory",
        ]
        return "\n".join(lines)


def model_lines(version: Path, contract: Contract) -> list[str]:
    """What an exported version is, a line each: sizes, input, suppression, labels, what its source does otherwise."""
    bars = f", grey {contract.pad_value}" if contract.resize == "letterbox" else ""
    found = contract.provenance
    lines = [
        f"  model     {contract.name}, {_sizes(version)}, min_score {contract.min_score:g}",
        f"  input     uint8 [N, {contract.height}, {contract.width}, 3] {contract.color_order} 0..255, "
        f"{contract.resize}{bars}; batch {found.get('batch', 'unknown')}",
    ]
    if nms := found.get("nms"):
        lines.append(f"  nms       {'; '.join(_suppression(one) for one in nms)}")
    lines.append(f"  labels    {labels_in_words(contract.labels)}")
    lines.append(f"  findings  {', '.join(map(printable, contract.findings)) or 'none'}")
    return [*lines, *(f"  changed   {change}" for change in found.get("changes", []))]


def serve_command(name: str, models: Path) -> str:
    """The command that serves the model from its directory of versions."""
    return f"python -m serving --port 5000 --model_name {name} --model_base_path {shlex.quote(str(models))}"


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def labels_in_words(labels: dict[int, str]) -> str:
    """How many classes there are, and the first of them."""
    shown = [f"{class_id} {printable(name)}" for class_id, name in list(labels.items())[:8]]
    more = f", and {len(labels) - len(shown)} more" if len(labels) > len(shown) else ""
    return f"{len(labels)}: {', '.join(shown)}{more}"


def printable(name: str) -> str:
    """A class name for a terminal: characters that would do something there are escaped."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)


def _sizes(version: Path) -> str:
    """The version's size, and of what others than the server read."""
    parts = {"golden pictures and answers": _size(version / GOLDEN), "the frozen graph": _size(version / FROZEN_FILE)}
    beside = " and ".join(f"{megabytes(size)} are {what}" for what, size in parts.items() if size)
    return megabytes(_size(version)) + (f", of which {beside}" if beside else "")


def _suppression(found: dict[str, Any]) -> str:
    settings = (f"{name} {value:g}" for name, value in sorted(found.items()) if name not in ("op", "count"))
    times = f"{found['count']} x " if found["count"] > 1 else ""
    return f"{times}{found['op']} {', '.join(settings)}".rstrip()


def _size(path: Path) -> int:
    files: Any = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _peak_memory() -> str:
    # Here or in the fresh process, whichever took more; Linux counts in kilobytes (getrusage(2)).
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return megabytes(most * 1024)
