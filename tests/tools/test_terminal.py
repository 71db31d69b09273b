"""streamer.tools.terminal: what SIGHUP means."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, pty, signal, sys, time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

def until(text):
    output = b""
    while text not in output:
        output += os.read(terminal, 4096)

until(b"waiting")
os.kill(pid, signal.SIGHUP)
until(b"read again")
os.close(terminal)  # the kernel sends SIGHUP to the terminal's session
deadline = time.monotonic() + 2
while time.monotonic() < deadline and os.waitpid(pid, os.WNOHANG) == (0, 0):
    time.sleep(0.02)
try:
    os.kill(pid, signal.SIGKILL)
    print("stayed")
except ProcessLookupError:
    print("ended")
"""
"""Gives a program a terminal, sends it SIGHUP, and closes the terminal."""

PROGRAM = """
import contextlib, os, signal, time
from streamer.tools.terminal import Terminal

terminal = Terminal()

def hung_up(*_):
    if terminal.is_gone():
        os._exit(0)
    with contextlib.suppress(OSError):  # the terminal is gone
        print("read again", flush=True)

signal.signal(signal.SIGHUP, hung_up)
with contextlib.suppress(OSError):  # it may be gone before the word is wholly said
    print("waiting", flush=True)
while True:
    time.sleep(0.05)  # not signal.pause(): a signal that comes just before it would be waited for ever
"""


@pytest.mark.parametrize(("ignored", "end"), [(False, "ended"), (True, "stayed")], ids=["plain", "nohup"])
def test_sighup_ends_only_what_lost_its_terminal(ignored: bool, end: str) -> None:
    """SIGHUP means to read again while there is a terminal, and the end when that is closed, but for nohup."""
    # Said either way: whoever runs the tests may have it ignored.
    before = f"import signal; signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, sys.executable, "-c", before + PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == end, done.stderr
