"""The processes a measurement runs, each stopped however it ends."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamer.tools.child import Child
from streamer.values.errors import SightlineError


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """Stop it at the end of the block."""
    try:
        yield child
    finally:
        child.stop()


@contextmanager
def running_all(children: list[Child]) -> Iterator[None]:
    """Stop them at the end of the block, all at once."""
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.stop()


def ask(module: str, *arguments: str | Path) -> dict[str, Any]:
    """Run `python -m MODULE` to its end; the JSON of its last line."""
    command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise SightlineError(f"`{' '.join(command[1:])}` ended with code {done.returncode}; run it to see why")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something on 127.0.0.1 takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def newest_version(models: Path) -> Path:
    """The directory of a model's newest version."""
    return max((path for path in models.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))
