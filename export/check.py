"""One thing that was checked about an exported model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline_export.golden import Golden


@dataclass(frozen=True)
class Check:
    """One thing an exported model must do, and whether it does."""

    name: str
    passed: bool
    detail: str


Prove = Callable[[Path, Golden], Iterator[Check]]
"""A version directory and what its source answered ─► the checks, one after the other as they are made."""
