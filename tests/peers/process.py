"""A program the tests start and always stop again, with everything it started itself."""

import atexit
import functools
import itertools
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 30.0
"""How long a peer may take to come up on a loaded machine."""


_PORTS = range(12_000, 32_000, 2)
"""Below those that the system gives to whoever connects: nobody gets one by chance before it is used. Even ones, since
RTP takes the next one for its reports."""
_SHARE = 500
"""How many of them one process has for itself: what it was given and has not bound yet, or wants nobody to listen at,
no other test run of this machine is given meanwhile."""


@functools.cache
def _own_ports(pid: int) -> Iterator[int]:
    """Go round the ports of this process.

    They are its own by a name of the network that the ports are of, which ends with the process. Where more of them run
    than there are shares, what is left over begins where its number says.
    """
    shares = [_PORTS[at : at + _SHARE] for at in range(0, len(_PORTS), _SHARE)]
    for share in shares[pid % len(shares) :] + shares[: pid % len(shares)]:
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0sightline-tests-{share[0]}")
        except OSError:
            holder.close()
        else:
            atexit.register(holder.close)
            return itertools.cycle(share)
    at = pid * 101 % len(_PORTS)
    return itertools.cycle([*_PORTS[at:], *_PORTS[:at]])


def free_port() -> int:
    """Find a port on 127.0.0.1 that nobody has right now, by TCP or UDP, and that was not given lately."""
    while True:
        port = next(_own_ports(os.getpid()))
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port


class Process:
    """One program in a process group of its own; what it prints is kept in `output`."""

    def __init__(self, arguments: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        # setpriv gives the program a parent-death signal, so that not even a killed test run leaves it behind. env
        # gives it back the signals that a shell in the background, or nohup, has ignored.
        self._popen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "env", "--default-signal=INT,HUP", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**os.environ, **env},
            start_new_session=True,
        )
        self.pid = self._popen.pid

    @property
    def output(self) -> str:
        """What the program has printed so far, both streams."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while the program runs."""
        return self._popen.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send `number` to the program alone."""
        self._popen.send_signal(number)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Wait for the program's own end and return its exit status."""
        return self._popen.wait(timeout)

    def wait_for_output(self, text: str, *, times: int = 1, timeout: float = PATIENCE_S) -> None:
        """Wait until the program has printed `text`, `times` times.

        Raises:
            AssertionError: it ended or `timeout` seconds passed first; carries what it did print.
        """
        deadline = time.monotonic() + timeout
        while self.output.count(text) < times:
            # Looked at twice, because the program may have printed and ended in between.
            ended = self.returncode is not None and self.output.count(text) < times
            assert not ended, f"ended with status {self.returncode} before printing {text!r}:\n{self.output}"
            assert time.monotonic() < deadline, f"did not print {text!r} in {timeout} s:\n{self.output}"
            time.sleep(0.02)

    def stop(self, timeout: float = 5.0) -> None:
        """Ask the whole group to end, then end it. May be called twice."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout)
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """End the whole group at once, as a power cut would. May be called twice."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


@contextmanager
def run_process(
    arguments: Sequence[str | Path], env: Mapping[str, str] | None = None, ready: str | None = None
) -> Iterator[Process]:
    """Run a program for as long as the block lasts.

    Args:
        arguments: the program and its arguments.
        env: what to add to this process's environment.
        ready: a text to wait for in what the program prints before the block begins.
    """
    process = Process(arguments, env)
    try:
        if ready is not None:
            process.wait_for_output(ready)
        yield process
    finally:
        process.stop()
