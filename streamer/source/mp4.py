"""What an MP4 claims of itself, judged before FFmpeg takes memory for it (ISO/IEC 14496-12). Pure.

A few bytes say that a track has a billion samples of one size, and FFmpeg would make an index of them all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamer.values.errors import SourceError

LONGEST_INDEX = 32 << 20
"""Bytes of a movie box: a day of a camera has ten million."""
MOST_TRACKS = 32
MOST_SAMPLES = 1_500_000
"""In the tracks of one file: sixteen hours at 25 pictures a second. FFmpeg keeps some forty bytes for each."""
FREE_SAMPLES = 10_000
"""In fragments, beside one for each byte of them."""

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"})
DEEPEST = 10
"""Boxes within each other that FFmpeg goes into."""
_TABLES = frozenset({b"stsz", b"stz2", b"elst", b"stco", b"co64", b"stsc", b"stts", b"ctts", b"stss"})
"""Of a track's samples."""
_NAMES = re.compile(rb"stsz|stz2|elst|stco|co64|stsc|trun|trak|cmov")
"""What is looked for in all other boxes: FFmpeg takes a table from wherever it finds one, in a description too."""
_UNREAD = frozenset({b"free", b"skip", b"mdat"})
_OTHERS = b"hoov cmov stsd dinf mvex tref udta sinf schi meta ilst wave iprp trun".split()
JUDGED = _CONTAINERS | _TABLES | frozenset(_OTHERS)
"""Boxes of a file that FFmpeg goes into: each is judged as a whole."""
_RUN = re.compile(rb"\x00.{3}trun.{4}(.{4})", re.DOTALL)
"""A track run box (section 8.8.8) of less than 16 MiB, and how many samples it claims."""
OVERLAP = 15
"""Bytes of one read that are looked at again with the next: one less than such a box's beginning has."""


@dataclass(slots=True)
class _Track:
    """What one track claims."""

    samples: int = 0
    in_one_size: bool = False
    edits: int = 1
    chunks: int = 0
    per_chunk: int = 0
    handlers: set[bytes] = field(default_factory=set)
    """What it says that it is (section 8.4.3)."""
    in_one_time: bool = False
    """Of samples that last one tick each."""

    @property
    def entries(self) -> int:
        """How many entries its index will have: FFmpeg keeps uncompressed sound by the thousand samples."""
        is_sound = b"soun" in self.handlers and b"vide" not in self.handlers
        if is_sound and self.in_one_time and self.in_one_size:
            return self.chunks * (self.per_chunk // 1024 + 1)
        return self.samples * max(1, self.edits)


def require_honest(movie: bytes) -> None:
    """Judge a movie box.

    Raises:
        SourceError: kind "too_large", it claims too many samples, or more than it lists; "unsupported", it is
            compressed; "protocol", it is none.
    """
    tracks = list[_Track]()
    for kind, body in _boxes(movie, depth=0):
        if kind == b"cmov":
            raise SourceError("unsupported", "the MP4's index is compressed (cmov), which is not read")
        if kind == b"trak":
            tracks.append(_Track())
        elif kind == b"trun" or not _is_plain(kind, body):
            raise _misplaced()
        elif tracks:
            _note(tracks[-1], kind, body)
    claimed = sum(track.entries for track in tracks)
    if len(tracks) > MOST_TRACKS:
        raise SourceError("too_large", f"the MP4 has {len(tracks)} tracks; at most {MOST_TRACKS} are read")
    if claimed > MOST_SAMPLES:
        raise SourceError("too_large", f"the MP4 claims {claimed} samples; at most {MOST_SAMPLES} are played")


def _boxes(data: bytes, depth: int) -> Iterator[tuple[bytes, bytes]]:
    """Every box and what is in it, containers before what they contain."""
    at = 0
    while at + 8 <= len(data):
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        size = len(data) - at if size == 0 else size
        if size < head or at + size > len(data):
            raise SourceError("protocol", "the MP4's index is damaged")
        body = data[at + head : at + size]
        yield kind, body
        if kind in _CONTAINERS:
            if depth == DEEPEST:
                raise SourceError("protocol", "the MP4's index is damaged")
            yield from _boxes(body, depth + 1)
        at += size


def _is_plain(kind: bytes, body: bytes) -> bool:
    """Whether a box hides none that must be judged."""
    return kind in _CONTAINERS | _TABLES | _UNREAD or not _NAMES.search(body)


def _misplaced() -> SourceError:
    return SourceError("protocol", "the MP4 has tables of samples where none belong")


def _note(track: _Track, kind: bytes, body: bytes) -> None:
    """Take from a box of a track what it claims; of two of a kind the larger, whichever FFmpeg takes."""
    first, second = _number(body, 4), _number(body, 8)
    if kind == b"stsz":
        track.samples, track.in_one_size = max(track.samples, second), track.in_one_size or first > 0
        if first == 0:
            _require_listed(second, 4, body, 12)
    elif kind == b"stz2":
        track.samples = max(track.samples, second)
        _require_listed(second, (first & 0xFF) / 8, body, 12)
    elif kind == b"elst":
        track.edits = max(track.edits, first)
    elif kind in (b"stco", b"co64"):
        track.chunks = max(track.chunks, first)
        _require_listed(first, 4 if kind == b"stco" else 8, body, 8)
    elif kind == b"stsc":
        _require_listed(first, 12, body, 8)
        track.per_chunk = max([track.per_chunk, *(_number(body, 8 + 12 * entry + 4) for entry in range(first))])
    elif kind == b"stts":
        track.in_one_time = first == 1 and _number(body, 12) == 1
    elif kind == b"hdlr":
        track.handlers.add(body[8:12])


def _require_listed(count: int, size: float, body: bytes, head: int) -> None:
    if count * size > len(body) - head:
        raise SourceError("too_large", f"the MP4 claims {count} entries in a table that holds fewer")


def _number(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 4], "big")


class Fragments:
    """What comes behind the index: fragments, each with an index of its own."""

    def __init__(self) -> None:
        self._tail = b""
        self._came = self._claimed = 0

    def watch(self, data: bytes) -> None:
        """Judge what comes next, before FFmpeg has it.

        Raises:
            SourceError: kind "too_large", runs claim more samples than there are bytes.
        """
        seen = self._tail + data
        self._take(sum(int.from_bytes(run[1], "big") for run in _RUN.finditer(seen)), len(data))
        self._tail = seen[-OVERLAP:]

    def judge(self, box: bytes) -> None:
        """Judge a whole box behind the index, one of those that are JUDGED, before FFmpeg has any of it.

        Raises:
            SourceError: as `watch`, and as `require_honest`.
        """
        if box[4:8] == b"moov":
            require_honest(box)
            return
        claimed = 0
        for kind, body in _boxes(box, depth=0):
            if kind == b"trun":
                claimed += _number(body, 4)
            elif kind in _TABLES | {b"trak", b"cmov"} or not _is_plain(kind, body):
                raise _misplaced()
        self._take(claimed, len(box))

    def _take(self, claimed: int, came: int) -> None:
        self._came += came
        self._claimed += claimed
        if self._claimed > self._came + FREE_SAMPLES:
            raise SourceError("too_large", f"the MP4 claims {self._claimed} samples in {self._came} bytes")
