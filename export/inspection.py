"""What was found in a file or directory, for people and for programs."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sightline_export.report import labels_in_words, megabytes, printable
from sightline_export.tensors import Tensor

SHOWN = 12
"""Tensors of one sort that a person is shown; a program gets them all."""


@dataclass(frozen=True)
class Inspection:
    """What was found; empty where there is none of it."""

    path: Path
    kind: str
    """How a person calls it: TF2 checkpoint, label map."""
    files: dict[str, int]
    """Name to bytes."""
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)
    """Variables by name and shape."""
    input_size: tuple[int, int] | None = None
    """Width and height in pixels."""
    classes: dict[int, str] = field(default_factory=dict)
    """Class id to name."""
    detector: str = ""
    """Whether it looks like a detector, and of which family."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else is worth knowing, by a word or two; text, numbers, or lists of text."""
    command: str = ""
    """The command that does the next thing with it."""
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Lines for people: a heading, then a word and what belongs to it on every line."""
        lines = [f"{self.path}: {self.kind}, {megabytes(sum(self.files.values()))}"]
        if len(self.files) > 1:
            lines += _block("files", [f"{name}  {megabytes(size)}" for name, size in self.files.items()])
        lines += _block("inputs", _table(self.inputs))
        lines += _block("outputs", _table(self.outputs))
        if self.weights:
            count = sum(_elements(tensor) for tensor in self.weights)
            lines += _block("weights", [f"{len(self.weights)} variables, {count:,} numbers", *_table(self.weights)])
        if self.input_size:
            lines += _block("input size", [f"{self.input_size[0]}x{self.input_size[1]}"])
        if self.classes:
            # Beside a model a line of them is enough; of a label map they are what is asked for.
            each = [f"{class_id}  {printable(name)}" for class_id, name in self.classes.items()]
            lines += _block("classes", [labels_in_words(self.classes)] if self.inputs else each)
        lines += _block("detector", [self.detector] if self.detector else [])
        for word, fact in self.facts.items():
            lines += _block(word, [str(one) for one in fact] if isinstance(fact, list) else [str(fact)])
        lines += _block("note", self.notes)
        lines += _block("next", [self.command] if self.command else [])
        return "\n".join(lines)

    def json(self) -> str:
        """The same as one JSON document."""
        document = asdict(self) | {"path": str(self.path), "bytes": sum(self.files.values())}
        document["classes"] = {str(class_id): name for class_id, name in self.classes.items()}
        return json.dumps(document, indent=2, default=str)


def _block(word: str, lines: list[str]) -> list[str]:
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN + 1 else []
    shown = [*lines[: SHOWN if more else None], *more]
    return [f"  {word if position == 0 else '':<14}{line}" for position, line in enumerate(shown)]


def _table(tensors: list[Tensor]) -> list[str]:
    width = max((len(tensor.name) for tensor in tensors[:SHOWN]), default=0)
    return [f"{tensor.name:<{width}}  {tensor.dtype:<8} {_shape(tensor)}" for tensor in tensors]


def _shape(tensor: Tensor) -> str:
    if tensor.shape is None:
        return "of any shape"
    return f"[{', '.join('?' if side is None else str(side) for side in tensor.shape)}]"


def _elements(tensor: Tensor) -> int:
    count = 1
    for side in tensor.shape or ():
        count *= side or 1
    return count
