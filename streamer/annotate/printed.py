"""Answers on stdout, as they come: where no folder is named for them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from streamer.annotate import table
from streamer.annotate.answer import Answer
from streamer.annotate.shot import Origin, Shot

FORMS = ("json", "csv")
"""That can be printed: a line a picture, or a box."""


class Printed:
    """What `Output` is, of a stream: nothing is known before, and nothing afterwards."""

    wants_frames = False

    def __init__(self, form: str, stream: TextIO | None = None) -> None:
        """Print in one of FORMS."""
        self._form, self._stream = form, stream or sys.stdout

    def is_ours(self, _: Path) -> bool:
        """None is."""
        return False

    def begin(self, _: Mapping[int, str]) -> None:
        """Print the head, of what has one."""
        if self._form == "csv":
            self._print(table.head().decode())

    def refuses(self, _name: str, _origin: Origin) -> str | None:
        """Nothing."""
        return None

    def has(self, _name: str, _origin: Origin, *, is_frame: bool) -> bool:
        """Nothing."""
        return False

    def has_video(self, _name: str, _origin: Origin) -> bool:
        """Nothing."""
        return False

    def write(self, shot: Shot, answer: Answer) -> None:
        """Nothing: all is printed in order, when it is noted."""

    def note(self, answer: Answer, _: Origin) -> None:
        """Print it. Raises BrokenPipeError: whoever reads has had enough."""
        csv = self._form == "csv"
        self._print(table.rows(answer).decode(errors="replace") if csv else f"{json.dumps(answer.document())}\n")

    def note_video(self, name: str, origin: Origin) -> None:
        """Nothing."""

    def finish(self, *, changed: bool) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def _print(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
