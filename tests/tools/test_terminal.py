"""streamer.tools.terminal: what SIGHUP means."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, pty, signal, sys

told, telling = os.pipe()
os.set_inheritable(telling, True)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], [*sys.argv[1:], str(telling)])
os.close(telling)
os.read(told, 1)  # it waits
os.kill(pid, signal.SIGHUP)
os.read(told, 1)  # it has read again
os.close(terminal)  # the kernel sends SIGHUP to the terminal's session
print("stayed" if os.read(told, 1) else "ended")
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""
"""Gives a program a terminal, sends it SIGHUP, and closes the terminal. What it does then is told by a pipe: whoever
ends closes it."""

PROGRAM = """
import os, signal, sys, time
from streamer.tools.terminal import Terminal

terminal, telling = Terminal(), int(sys.argv[1])

def hung_up(*_):
    if terminal.is_gone():
        os._exit(0)
    os.write(telling, b"r")  # it reads again

signal.signal(signal.SIGHUP, hung_up)
os.write(telling, b"w")
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
