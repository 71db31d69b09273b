"""An object as a file."""

import io

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.storage.bucket import Bucket
from streamer.archive.storage.object_file import BLOCK, BLOCKS, ObjectFile


class FakeBucket(Bucket):
    """One object, in memory; what was asked for is counted."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, list[tuple[int, int]]()

    def read(self, key: str, offset: int, size: int) -> bytes:
        self.asked.append((offset, size))
        return self.data[offset : offset + size]


DATA = bytes(range(251)) * (6 * BLOCK // 251)
STEPS = st.lists(
    st.tuples(st.integers(0, len(DATA) + 10), st.integers(0, 2 * BLOCK), st.sampled_from((io.SEEK_SET, io.SEEK_END)))
)


@given(STEPS)
def test_it_reads_as_a_file_in_memory_does(steps: list[tuple[int, int, int]]) -> None:
    """Wherever one goes and however much one asks for; and it never holds more than a few blocks."""
    made, like = ObjectFile(FakeBucket(DATA), "x", len(DATA)), io.BytesIO(DATA)
    for place, size, whence in steps:
        to = place if whence == io.SEEK_SET else max(-place, -len(DATA))
        assert made.seek(to, whence) == like.seek(to, whence)
        assert made.read(size) == like.read(size)
        assert made.tell() == like.tell()
        assert len(made._blocks) <= BLOCKS


def test_what_follows_is_asked_for_a_block_at_a_time() -> None:
    """A hundred small reads in a row are one request; the last block asks for no more than there is."""
    bucket = FakeBucket(DATA[: BLOCK + 7])
    file = ObjectFile(bucket, "x", BLOCK + 7)
    assert b"".join(iter(lambda: file.read(BLOCK // 50), b"")) == bucket.data
    assert bucket.asked == [(0, BLOCK), (BLOCK, 7)]


def test_what_is_shorter_than_it_should_be_ends_early() -> None:
    """An object that another program has cut off gives what it has, and no endless loop."""
    assert ObjectFile(FakeBucket(b"abc"), "x", 10).read() == b"abc"
