"""streamer.source.mp4 and movie: what an MP4 claims is judged before FFmpeg takes memory for it."""

import contextlib
import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source import mp4
from streamer.source.download import Download
from streamer.source.movie import Movie
from streamer.source.target import Target
from streamer.values.errors import SourceError
from tests.peers.required import requires
from tests.peers.watch import numbers, run_watch
from tests.peers.web_camera import file, run_web_camera, trickled
from tests.source.test_kinds import assert_plays


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box (ISO/IEC 14496-12 section 4.2)."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *numbers_: int, flags: int = 0) -> bytes:
    """A full box of 32-bit numbers."""
    return box(kind, struct.pack(f">{1 + len(numbers_)}I", flags, *numbers_))


def track(*tables: bytes, edits: int = 0, handler: bytes = b"vide") -> bytes:
    """A track with these tables of samples."""
    edit = box(b"edts", full(b"elst", edits, *[0] * 3 * edits)) if edits else b""
    says = box(b"hdlr", bytes(8), handler, bytes(12))
    return box(b"trak", edit, box(b"mdia", says, box(b"minf", box(b"stbl", *tables))))


def movie(*tracks: bytes) -> bytes:
    """A movie box."""
    return box(b"moov", full(b"mvhd", 0, 0, 1000, 1000), *tracks)


SAMPLES = full(b"stsz", 1, 60_000_000)
HOSTILE = {
    "sixty million samples of one size": movie(track(SAMPLES)),
    "video of samples of one tick": movie(track(full(b"stts", 1, 60_000_000, 1), SAMPLES, full(b"stco", 1, 48))),
    "in every one of many tracks": movie(*[track(full(b"stsz", 1, 100_000))] * 20),
    "edits that show everything again": movie(track(full(b"stsz", 1, 1000), edits=2000)),
    "a table that holds fewer": movie(track(full(b"stsz", 0, 1 << 20))),
    "half bytes that are not there": movie(track(full(b"stz2", 4, 1 << 20))),
    "chunks that are not there": movie(track(full(b"stco", 1 << 30))),
    "sound of very long chunks": movie(
        track(
            full(b"stts", 1, 9, 1),
            full(b"stsz", 2, 9),
            full(b"stsc", 1, 1, 0xFFFFFFFF, 1),
            full(b"stco", 2, 0, 0),
            handler=b"soun",
        )
    ),
    "more tracks than anybody has": movie(*[track()] * 100),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_is_refused(case: str) -> None:
    """An index that claims more samples than are played, or than it lists, is refused by what it says."""
    with pytest.raises(SourceError, match="the MP4") as refused:
        mp4.require_honest(HOSTILE[case])
    assert refused.value.kind == "too_large"


HIDDEN = {
    "in a box for something else": movie(track(box(b"dinf", SAMPLES))),
    "in notes": movie(track(), box(b"udta", track(SAMPLES))),
    "in a description": movie(track(box(b"stsd", bytes(8), box(b"avc1", bytes(78), SAMPLES)))),
    "in a run within the index": movie(track(), box(b"moof", box(b"traf", full(b"trun", 1)))),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_table_where_none_belongs_is_refused(case: str) -> None:
    """Tables that FFmpeg would find though they stand in other boxes are not passed over."""
    with pytest.raises(SourceError, match="where none belong") as refused:
        mp4.require_honest(HIDDEN[case])
    assert refused.value.kind == "protocol"


def test_boxes_go_no_deeper_than_they_are_judged() -> None:
    """An index of boxes within boxes ends where nobody would look for a table any more."""
    deep = SAMPLES
    for _ in range(20):
        deep = box(b"stbl", deep)
    with pytest.raises(SourceError, match="damaged"):
        mp4.require_honest(movie(track(deep)))


def test_raw_sound_is_many_samples_and_few_entries() -> None:
    """Hours of uncompressed sound, a sample a tick, are no claim: they are kept by the chunk."""
    hours = 48_000 * 3600 * 3
    chunks = 500
    tables = full(b"stts", 1, hours, 1), full(b"stsz", 4, hours), full(b"stsc", 1, 1, hours // chunks, 1)
    mp4.require_honest(movie(track(*tables, full(b"stco", chunks, *range(chunks)), handler=b"soun")))


def test_a_compressed_index_is_named() -> None:
    """What is inside a compressed index cannot be judged, so it is not read."""
    with pytest.raises(SourceError, match="compressed") as refused:
        mp4.require_honest(box(b"moov", box(b"cmov", bytes(40))))
    assert refused.value.kind == "unsupported"


@given(st.binary(max_size=400))
def test_whatever_an_index_holds_it_is_judged(noise: bytes) -> None:
    """Bytes of any kind are an honest index or a refusal in words of the API."""
    for data in (noise, box(b"moov", noise), movie(track(noise)), movie(track(box(b"stsz", noise)))):
        with contextlib.suppress(SourceError):
            mp4.require_honest(data)


def run(samples: int) -> bytes:
    """A track run that says nothing of its samples but how many."""
    return full(b"trun", samples)


def watch(fragments: mp4.Fragments, data: bytes, cuts: list[int]) -> None:
    """Give it these bytes, so many at a time."""
    for cut in cuts:
        fragments.watch(data[:cut])
        data = data[cut:]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_fragments_claim_no_more_than_comes(cuts: list[int]) -> None:
    """Runs that claim more samples than there are bytes are refused, however the bytes are cut; honest ones never."""
    honest, hostile = mp4.Fragments(), mp4.Fragments()
    for _ in range(50):
        honest.watch(box(b"moof", box(b"traf", run(100))) + box(b"mdat", bytes(100)))
    data = box(b"moof", box(b"traf", run(0x01010101)))
    with pytest.raises(SourceError, match="claims 16843009 samples"):
        watch(hostile, data, [*cuts, len(data)])


class _Served:
    """A download of bytes that are here."""

    def __init__(self, data: bytes, *, seekable: bool) -> None:
        self._data, self._seekable = io.BytesIO(data), seekable
        self.read, self.tell, self.seek, self.close = self._data.read, self._data.tell, self._seek, self._data.close

    def seekable(self) -> bool:
        """As it was said."""
        return self._seekable

    def _seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert self._seekable
        return self._data.seek(offset, whence)


def served(data: bytes, *, seekable: bool) -> Movie:
    """It, as a movie."""
    return Movie(cast(Download, _Served(data, seekable=seekable)))


HEAD = box(b"ftyp", b"isom", bytes(4)) + box(b"free")
REST = box(b"mdat", bytes(range(256)) * 20)


@pytest.mark.parametrize("seekable", [True, False])
@given(st.lists(st.integers(1, 3000), max_size=10))
def test_the_bytes_are_the_servers(seekable: bool, sizes: list[int]) -> None:
    """What is read is the file, byte for byte, whatever the sizes asked for."""
    data = HEAD + movie(track()) + REST
    reading, read = served(data, seekable=seekable), b""
    for size in sizes:
        read += reading.read(size)
    while more := reading.read(1 << 16):
        read += more
    assert read == data


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 3000)), max_size=10))
def test_the_bytes_are_the_servers_from_anywhere(jumps: list[tuple[int, int]]) -> None:
    """What is read after a seek is what stands there, with the index at the end as well."""
    data = HEAD + REST + movie(track())
    reading = served(data, seekable=True)
    for at, size in jumps:
        assert reading.seek(at) == at
        read = reading.read(size)
        assert bool(read) == (at < len(data))
        assert data[at:].startswith(read)


def test_a_server_that_answers_in_two_ways_is_believed_once() -> None:
    """What was judged is what FFmpeg gets: an index that is another one the second time is not asked for again."""
    honest = HEAD + movie(track()) + REST
    download = _Served(honest, seekable=True)
    reading = Movie(cast(Download, download))
    download._data.seek(0)
    download._data.write(HEAD + movie(track())[:-8] + b"hostile!")
    reading.seek(len(HEAD))
    assert reading.read(len(movie(track()))) == movie(track())


LIVE = HEAD + movie(track()) + box(b"moof", box(b"traf", full(b"trun", 10))) + box(b"mdat", bytes(100))
RUN = struct.pack(">II", 0, 60_000_000)
BEHIND = {
    "a run longer than what it is in": box(b"moof", box(b"traf", struct.pack(">I4s", 0x01000020, b"trun") + RUN)),
    "a run with a long size": box(b"moof", box(b"traf", struct.pack(">I4sQ", 1, b"trun", 24) + RUN)),
    "a track": track(SAMPLES),
    "another index": movie(track(SAMPLES)),
    "an index by another name": box(b"hoov", movie(track(SAMPLES))[8:]),
}


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("case", BEHIND)
def test_what_stands_behind_an_index_is_judged_too(case: str, seekable: bool) -> None:
    """No byte of a box is given whose claims cannot be, however it is written, and all before it are."""
    reading, read = served(LIVE + BEHIND[case] + REST, seekable=seekable), b""
    while len(read) < len(LIVE):
        read += reading.read(1 << 16)
    assert read == LIVE
    with pytest.raises(SourceError, match="the MP4"):
        reading.read(1)


@pytest.mark.parametrize("seekable", [True, False])
def test_an_index_by_another_name_is_no_way_to_the_index(seekable: bool) -> None:
    """What FFmpeg takes for an index before the index is refused (a "hoov", or a track outside of any)."""
    for case in ("a track", "an index by another name"):
        with pytest.raises(SourceError, match="where none belong"):
            served(HEAD + BEHIND[case] + movie(track()) + REST, seekable=seekable)


@pytest.mark.parametrize(
    ("data", "seekable", "said"),
    [
        (HEAD + REST, True, "no index|ends before"),
        (HEAD + REST + movie(track()), False, "behind its video"),
        (HEAD + box(b"free") * 1000 + movie(track()), True, "no index"),
        (HEAD + struct.pack(">I4sQ", 1, b"moov", 1 << 60), True, "bytes; at most"),
        (HEAD + struct.pack(">I4s", 0xFFFFFFFF, b"free"), False, "bytes; at most"),
        (HEAD + movie(track())[:-9], True, "ends before"),
    ],
)
def test_an_index_that_is_not_to_be_had_is_said(data: bytes, seekable: bool, said: str) -> None:
    """A file without an index, or with one that is too far away or too long, is refused in a sentence."""
    with pytest.raises(SourceError, match=said):
        served(data, seekable=seekable)


@pytest.fixture
def copies(numbered_clip: Path, tmp_path: Path) -> Path:
    """A folder with the clip, its index in front of it, and as a camera writes it."""
    requires("ffmpeg")
    for name, flags in {"first": "faststart", "live": "frag_keyframe+empty_moov"}.items():
        arguments = ("-v", "error", "-i", numbered_clip, "-c", "copy", "-movflags", flags, tmp_path / f"{name}.mp4")
        subprocess.run(["ffmpeg", *map(str, arguments)], check=True)
    return tmp_path


async def test_an_index_at_either_end_plays(numbered_clip: Path, copies: Path) -> None:
    """A recording plays with its index before or behind its video; a camera's fragments play without ranges."""
    async with run_web_camera(
        ("/last.mp4", file(numbered_clip)),
        ("/first.mp4", file(copies / "first.mp4")),
        ("/live.mp4", trickled(copies / "live.mp4", "video/mp4", seconds=2)),
    ) as url:
        for name in ("last", "first", "live"):
            async with run_watch(Target(f"{url}/{name}.mp4")) as watch:
                assert_plays(numbers(await watch.more(30)))


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """A recording of a few hundred bytes that claims sixty million samples costs less than sixteen megabytes."""
    program = f"""
import resource, asyncio, pathlib
from streamer.source.target import Target
from tests.peers.watch import run_watch
from tests.peers.web_camera import file, run_web_camera
from tests.source.test_mp4 import HEAD, HOSTILE, REST
path = pathlib.Path({str(tmp_path / "bomb.mp4")!r})
path.write_bytes(HEAD + HOSTILE["sixty million samples of one size"] + REST)
async def main():
    async with run_web_camera(("/bomb.mp4", file(path))) as url:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with run_watch(Target(url + "/bomb.mp4")) as watch:
            print(await watch.ended("too_large"))
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sentence, megabytes = done.stdout.splitlines()
    assert "claims 60000000 samples" in sentence
    assert int(megabytes) < 16
