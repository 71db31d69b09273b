"""streamer.control.edits: when a file has changed."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamer.control.edits import Edits, Settling

GONE = b"No such file or directory"


@pytest.mark.parametrize(
    ("looks", "read"),
    [
        ([b"a", b"a"], [False, True]),
        ([b"a", b"a", b"a", b"a"], [False, True, False, False]),
        ([b"a", b"a", b"b", b"b"], [False, True, False, True]),
        ([b"a", b"a", b"", b"b", b"b"], [False, True, False, False, True]),  # emptied, then written
        ([b"a", b"a", b"b", b"a", b"a"], [False, True, False, False, False]),  # and taken back
        ([b"a", b"a", GONE, b"a", b"a"], [False, True, False, False, False]),  # away while it is renamed
        ([b"a", b"a", GONE, GONE, b"a", b"a"], [False, True, False, True, False, True]),
        ([b"a", b"a", GONE, GONE, b"folder", b"folder"], [False, True, False, True, False, True]),
        ([b"a", b"b", b"c", b"d"], [False, False, False, False]),
    ],
)
def test_content_counts_once_it_has_settled(looks: list[bytes], read: list[bool]) -> None:
    """Content is read once, when two looks in a row saw it, and not while it is being written."""
    settling = Settling()
    assert [settling.look(seen) for seen in looks] == read


async def test_asking_reads_at_once(tmp_path: Path) -> None:
    """`ask` has the file read whether it has changed or not; what was read is handed over, or why nothing was."""
    path = tmp_path / "file"
    path.write_text("a")
    reads = asyncio.Queue[bytes | OSError]()

    async def changed(said: bytes | OSError) -> None:
        reads.put_nowait(said)

    watch = Edits(path)
    task = asyncio.create_task(watch.run(changed))
    assert await reads.get() == b"a"  # the first
    watch.ask()
    assert await reads.get() == b"a"
    path.write_text("b")
    assert await reads.get() == b"b"
    path.unlink()
    assert isinstance(await reads.get(), FileNotFoundError)
    task.cancel()
    assert reads.empty()


async def test_a_file_that_hangs_is_told_of_and_read_once(tmp_path: Path) -> None:
    """A pipe in the file's place is said not to be readable; one thread waits for it, and it is read when it can be."""
    path = tmp_path / "file"
    os.mkfifo(path)
    reads = asyncio.Queue[bytes | OSError]()

    async def changed(said: bytes | OSError) -> None:
        reads.put_nowait(said)

    watch = Edits(path, patience=0.01)
    task = asyncio.create_task(watch.run(changed))
    for _ in range(3):
        told = await reads.get()
        assert isinstance(told, OSError)
        assert told.strerror == "nothing came of it within 0.01 s"
        assert sum(thread.name == "configuration" for thread in threading.enumerate()) == 1
        watch.ask()
    other_end = os.open(path, os.O_WRONLY)  # whoever waits at the pipe comes back
    path.unlink()
    path.write_text("a")
    os.close(other_end)
    while (said := await reads.get()) != b"a":
        assert isinstance(said, OSError)
    task.cancel()


def test_a_file_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    """A process that waits for such a file ends when its main program does."""
    os.mkfifo(tmp_path / "file")
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from streamer.control.edits import Edits\n"
        "async def changed(said):\n"
        "    seen.set()\n"
        "async def main():\n"
        "    following = asyncio.create_task(Edits(Path(sys.argv[1]), patience=0.01).run(changed))\n"
        "    await seen.wait()\n"
        "seen = asyncio.Event()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
