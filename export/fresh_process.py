"""A second Python that never saw the source, for the proof. It starts early: TensorFlow takes seconds to import."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sightline_export.check import Check
from sightline_export.errors import CheckFailed
from sightline_export.golden import Golden


class FreshProcess:
    """Runs `sightline_export.proof` in a process of its own; use as a context manager."""

    def __init__(self) -> None:
        # A file, because nobody reads a pipe while TensorFlow talks.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        # Two processes on one GPU would fight for its memory, and its arithmetic differs in the fourth digit.
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._process = subprocess.Popen(
            # -P: what lies in the working directory is the caller's, whatever it is called.
            [sys.executable, "-P", "-m", "sightline_export.proof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env={**os.environ, **quiet},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def prove(self, version: Path, golden: Golden) -> Iterator[Check]:
        """As `sightline_export.proof.prove`, over there.

        Raises:
            CheckFailed: the process ended before it had made all checks.
        """
        with tempfile.TemporaryDirectory(prefix="sightline-export-") as directory:
            path = Path(directory) / "golden"
            golden.save(path)
            self._ask({"version": str(version.resolve()), "golden": str(path)})
            for line in self._process.stdout or ():
                yield Check(**json.loads(line))
            if self._process.wait() != 0:
                raise CheckFailed(f"a fresh process could not run the exported model: {self._last_words()}")

    def _ask(self, paths: dict[str, str]) -> None:
        # If it is dead already, its exit code will say so.
        with suppress(BrokenPipeError):
            print(json.dumps(paths), file=self._process.stdin, flush=True)

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        if not lines:
            return f"exit code {self._process.returncode}"
        # Without the module before the error's name, and the {{node}} and [Op] that TensorFlow adds for itself.
        return re.sub(r"^(?:\w+\.)+(?=\w+:)|\{\{.*?\}\} ?|\s*\[Op:\w+\]$", "", lines[-1])
