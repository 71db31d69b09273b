"""A process of ours that another of ours starts: it dies with its parent, and its use of the machine can be read."""

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamer.values.errors import SightlineError

PR_SET_PDEATHSIG = 1
"""prctl(2)."""
STOP_TIMEOUT = 8.0
"""Seconds a process gets to end by itself."""


Say = Callable[[str], None]
"""Shows a sentence of progress."""


class ChildEnded(SightlineError):
    """A process ended that should have gone on. What a quiet one said last is told; others said it on the terminal."""


class Child:
    """One `python -m …` under our care."""

    def __init__(
        self, name: str, *arguments: str, quiet: bool = False, aside: bool = False, checkout: Path | None = None
    ) -> None:
        """Start it.

        Args:
            name: what it is called where something is said of it.
            arguments: of Python.
            quiet: keep what it says to be told only if it ends.
            aside: have what it prints on stderr, where stdout is its parent's own answer.
            checkout: a copy of this repository whose code it runs; None: this one's.
        """
        self.name = name
        parent = os.getpid()

        def die_with_parent() -> None:
            # Whatever kills the parent, kill -9 included, this process is told.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        self._words = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115  closed by `stop`
        self._process = subprocess.Popen(
            # -P: what lies in the working directory is the user's, and may be called json.py or streamer.
            [sys.executable, "-P", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else 2 if aside else None,
            stderr=self._words,
            env=None if checkout is None else os.environ | {"PYTHONPATH": f"{checkout}/site:{checkout}"},
            preexec_fn=die_with_parent,
            process_group=0,  # the terminal's Ctrl-C goes to the parent alone, which stops all in order
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def require_alive(self) -> None:
        """Raise ChildEnded if it is gone."""
        if self._process.poll() is not None:
            raise ChildEnded(f"the {self.name} ended with exit code {self._process.returncode}; {self._own_words()}")

    def finish(self) -> None:
        """Wait for it to end by itself; raise ChildEnded unless it went well."""
        if self._process.wait() != 0:
            raise ChildEnded(f"the {self.name} failed; {self._own_words()}")

    def _own_words(self) -> str:
        if self._words is None:
            return "its own words are above"
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return f"it said: {lines[-1]}" if lines else "it said nothing"

    def cpu_seconds(self) -> float:
        """Seconds of processor it has used, in user and system mode (proc_pid_stat(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Memory it holds (proc_pid_statm(5), field 2)."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def terminate(self) -> None:
        """Ask it and the processes it started to end."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End it, firmly if need be."""
        self.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        if self._words is not None:
            self._words.close()


def await_until(there: Callable[[], bool], what: str, children: list[Child], say: Say, timeout: float = 180.0) -> None:
    """Wait for something to be there, showing that time passes, as long as every child lives.

    Raises:
        ChildEnded: a child ended meanwhile, or the time is over.
    """
    started = said = time.monotonic()
    while not there():
        for child in children:
            child.require_alive()
        now = time.monotonic()
        if now - started > timeout:
            raise ChildEnded(f"{what} did not come within {timeout:.0f} s")
        if now - said > 5:
            say(f"waiting for {what} ({now - started:.0f} s)")
            said = now
        time.sleep(0.1)


def open_local(url: str, timeout: float) -> Any:
    """Open a URL of our own, on this machine, whatever proxy the environment names for the world outside."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=timeout)


def get(url: str) -> str | None:
    """A page's text, or None where it is not there or says it is not ready."""
    try:
        with open_local(url, timeout=2) as response:
            return str(response.read().decode())
    except (urllib.error.URLError, OSError, http.client.HTTPException):  # or somebody else listens there
        return None
