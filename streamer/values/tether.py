"""Programs of others that end with us, whatever ends us: kill -9 included."""

import os
import sys
from collections.abc import Sequence

TETHER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: prctl(2)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)  # the parent was gone before it was asked
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Run in the new process, before the program takes its place. As Popen's `preexec_fn` it would be run between fork and
exec in a process of many threads, whose locks another thread may hold."""


def tethered(command: Sequence[str]) -> list[str]:
    """The command that runs another, by its full path, and has it killed when the thread that started it ends."""
    return [sys.executable, "-I", "-S", "-c", TETHER, str(os.getpid()), *command]
