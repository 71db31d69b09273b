"""Fragments of a file moved in time, so that those of many files follow one another (ISO/IEC 14496-12 section 8.8.12).

Each file counts from its own beginning. FFmpeg, and players that are made of it, leave out the first fragment wherever
decode times go back within a playlist, so that a second would be missing at every file's.
"""

import struct
from collections.abc import Iterator

from streamer.archive.recordings.fragments import Box, boxes
from streamer.values.coded import MICROSECONDS


def timescales(init: bytes) -> dict[int, int]:
    """Of each track of an `ftyp` and `moov`, by its id: units to a second.

    Raises:
        ValueError: they are no such boxes.
    """
    found = {}
    for track in _within(init, Box(b"", 0, 0, len(init)), b"moov", b"trak"):
        [header] = _within(init, track, b"tkhd")
        [media] = _within(init, track, b"mdia", b"mdhd")
        (id_,) = struct.unpack_from(">I", init, header.inside + (20 if init[header.inside] else 12))
        (scale,) = struct.unpack_from(">I", init, media.inside + (20 if init[media.inside] else 12))
        found[id_] = scale
    return found


def moved(fragment: bytes, scales: dict[int, int], by: int) -> bytes:
    """A `moof` and its `mdat`, to be decoded so many microseconds later; as long as before.

    Raises:
        ValueError: it is no such thing, or has 32 bits for its time, which our muxer never writes.
    """
    found = bytearray(fragment)
    for part in _within(fragment, Box(b"", 0, 0, len(fragment)), b"moof", b"traf"):
        [header] = _within(fragment, part, b"tfhd")
        [time] = _within(fragment, part, b"tfdt")
        if fragment[time.inside] != 1:
            raise ValueError("a decode time of 32 bits")
        (track,) = struct.unpack_from(">I", fragment, header.inside + 4)
        (before,) = struct.unpack_from(">Q", fragment, time.inside + 4)
        struct.pack_into(">Q", found, time.inside + 4, before + by * scales[track] // MICROSECONDS)
    return bytes(found)


def _within(data: bytes, box: Box, *kinds: bytes) -> Iterator[Box]:
    """Those of the last kind, in those of the one before, and so on."""
    for inner in boxes(data, box.inside, box.end):
        if inner.kind == kinds[0]:
            yield from _within(data, inner, *kinds[1:]) if len(kinds) > 1 else (inner,)
