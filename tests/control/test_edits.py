"""streamer.control.edits: when a file has changed."""

import asyncio
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
