"""Reads of MP4 what the index of a segment needs: what it begins with, and its fragments (ISO/IEC 14496-12). Pure.

Only what our own muxer writes is read: video is the first track, and its samples' durations stand in each fragment.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from streamer.archive.recordings.segment import Fragment

HEADER = 8
"""Bytes of a box's size and kind; of one beyond 4 GiB 16."""
VIDEO = 1
"""The id of the first track."""
_NO_SYNC = 0x00010000
"""sample_is_non_sync_sample of a sample's flags, section 8.8.3.1."""


class Box(NamedTuple):
    """Where one is, in bytes from the beginning of what was read."""

    kind: bytes
    begin: int
    """Of its header."""
    inside: int
    """Where its header has ended."""
    end: int


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Those one after the other that are whole; what comes after the last is not said.

    Raises:
        ValueError: a size cannot be.
    """
    end = len(data) if end is None else end
    while begin + HEADER <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        inside = begin + HEADER
        if size == 1:
            if begin + 16 > end:
                return
            (size,) = struct.unpack_from(">Q", data, inside)
            inside += 8
        if size < inside - begin:
            raise ValueError(f"a box of {size} bytes at {begin}")
        if begin + size > end:
            return
        yield Box(kind, begin, inside, begin + size)
        begin += size


def init_of(data: bytes) -> bytes:
    """`ftyp` and `moov` of a file's beginning, without what is free between them.

    Raises:
        ValueError: they are not there.
    """
    found = {box.kind: data[box.begin : box.end] for box in boxes(data) if box.kind in (b"ftyp", b"moov")}
    if found.keys() != {b"ftyp", b"moov"}:
        raise ValueError("no ftyp and moov")
    return found[b"ftyp"] + found[b"moov"]


def add(fragments: list[Fragment], moof: bytes, offset: int, size: int, timescale: int) -> int:
    """Note one more fragment; how many pictures are in it.

    One with nothing but sound belongs to the one before: it is sent with it, and nobody begins there.

    Args:
        fragments: those before it.
        moof: the box whole, its header too.
        offset: of it in the file.
        size: of it and its `mdat`.
        timescale: of the video's times: so many to a second.

    Raises:
        ValueError: it is no such box.
    """
    found = fragment_of(moof, offset, size, timescale)
    if found is not None:
        fragments.append(found[0])
        return found[1]
    if fragments:
        last = fragments.pop()
        fragments.append(replace(last, size=offset + size - last.offset))
    return 0


def fragment_of(moof: bytes, offset: int, size: int, timescale: int) -> tuple[Fragment, int] | None:
    """What is known of a fragment, and how many pictures are in it; None: it has none.

    Args:
        moof: the box whole, its header too.
        offset: of it in the file.
        size: of it and its `mdat`.
        timescale: of the video's times: so many to a second.

    Raises:
        ValueError: it is no such box.
    """
    try:
        for traf in _inside(moof, b"moof", b"traf"):
            track, duration, flags = _defaults(moof, traf)
            if track != VIDEO:
                continue
            time, samples = _decode_time(moof, traf), list(_samples(moof, traf, duration, flags))
            if not samples:
                break
            lasting = sum(sample.duration for sample in samples)
            fragment = Fragment(
                offset,
                size,
                max(0, round((time + samples[0].shift) * 1000 / timescale)),
                round(lasting * 1000 / timescale),
                not samples[0].flags & _NO_SYNC,
            )
            return fragment, len(samples)
    except struct.error as error:
        raise ValueError(f"the fragment at {offset} ends within itself") from error
    return None


class _Sample(NamedTuple):
    duration: int
    flags: int
    shift: int
    """From when it is decoded to when it is shown."""


def _inside(data: bytes, outer: bytes, inner: bytes) -> Iterator[Box]:
    for box in boxes(data):
        if box.kind == outer:
            yield from (each for each in boxes(data, box.inside, box.end) if each.kind == inner)


def _defaults(data: bytes, traf: Box) -> tuple[int, int, int]:
    """The track's id, and what a sample's duration and flags are where nothing else is said: section 8.8.7."""
    for box in boxes(data, traf.inside, traf.end):
        if box.kind == b"tfhd":
            said, track = struct.unpack_from(">II", data, box.inside)
            at = box.inside + 8 + (8 if said & 0x1 else 0) + (4 if said & 0x2 else 0)
            values = {}
            for bit in (0x8, 0x10, 0x20):
                if said & bit:
                    (values[bit],) = struct.unpack_from(">I", data, at)
                    at += 4
            return track, values.get(0x8, 0), values.get(0x20, 0)
    raise ValueError("a traf without tfhd")


def _decode_time(data: bytes, traf: Box) -> int:
    for box in boxes(data, traf.inside, traf.end):
        if box.kind == b"tfdt":
            wide = data[box.inside] == 1
            (time,) = struct.unpack_from(">Q" if wide else ">I", data, box.inside + 4)
            return int(time)
    raise ValueError("a traf without tfdt")


def _samples(data: bytes, traf: Box, duration: int, flags: int) -> Iterator[_Sample]:
    """Section 8.8.8; shifts are signed, as version 1 has them."""
    for box in boxes(data, traf.inside, traf.end):
        if box.kind != b"trun":
            continue
        said, count = struct.unpack_from(">II", data, box.inside)
        said &= 0xFFFFFF
        at = box.inside + 8 + (4 if said & 0x1 else 0)
        first = flags
        if said & 0x4:
            (first,) = struct.unpack_from(">I", data, at)
            at += 4
        columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if said & bit]
        row = struct.Struct(">" + "".join("i" if bit == 0x800 else "I" for bit in columns))
        for number in range(count):
            values = dict(zip(columns, row.unpack_from(data, at), strict=True))
            at += row.size
            default = flags if number else first
            yield _Sample(values.get(0x100, duration), values.get(0x400, default), values.get(0x800, 0))
