"""What `sightline user` and `sightline token` have in common: their options, their lists, and that the audit knows."""

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamer.access.audit_file import AuditFile
from streamer.access.deed import Deed
from streamer.access.store import Store
from streamer.values.name import NAMES, is_pattern

Keeps = Callable[[argparse.Namespace], tuple[Store, Path]]
"""Gives the file of users that a command is about, which has been read, and that of the audit."""


def add_options(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    """What every verb has."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the service's (default ./sightline.yaml)")
    parser.set_defaults(run=run)


def add_streams(parser: argparse.ArgumentParser) -> None:
    """Which streams somebody may see and use."""
    parser.add_argument(
        "--streams",
        nargs="+",
        type=_pattern,
        default=["*"],
        metavar="NAME",
        help="only these; 'line-*' is every name that begins so (default: all)",
    )


def _pattern(text: str) -> str:
    if not is_pattern(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no stream's name: {NAMES}, and * and ? for some")
    return text


def note(audit: Path, what: str, target: str, detail: str = "") -> None:
    """Write down who did what at this machine. What was done stays done where that cannot be."""
    try:
        AuditFile(audit).append([Deed(time.time(), f"command ({_account()})", what, target, detail=detail)])
    except OSError as error:
        say(f"{audit} cannot be written: {error.strerror}; this is not in the audit")


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's, which has no name
        return "unknown"


def say(sentence: str) -> None:
    """For a person; stdout is for what a program reads."""
    print(f"sightline: {sentence}", file=sys.stderr)


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, none: str) -> None:
    """A list, as a table or as JSON."""
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        say(none)
        return
    cells = [[key.replace("_", " ") for key in rows[0]], *([_cell(*item) for item in row.items()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "never"
    if key.endswith("_at"):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%MZ")
    return " ".join(value) if isinstance(value, list | tuple) else str(value)


def in_words(streams: Sequence[str]) -> str:
    """Which streams somebody may see and use."""
    return "every stream" if "*" in streams else ", ".join(streams)


def kept_in(store: Store) -> str:
    """Where it is kept, in full: who stands in another folder than the service's has made a user of no service."""
    return f"kept in {Path(store.path or '').absolute()}"


def among(names: Sequence[str]) -> str:
    """The first names there are, for a sentence about one that is not."""
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "") or "none"
