"""One file of recorded video, and what must be known to play any part of it. Values."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

_PACKED = struct.Struct("<IIIIB")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One of a segment's fragments: a `moof` and its `mdat` (ISO/IEC 14496-12 section 8.8)."""

    offset: int
    """Bytes from the beginning of the file, which are the same while it is written and once it is closed."""
    size: int
    time_ms: int
    """Of its first picture in the order they are decoded in, from the segment's first picture."""
    duration_ms: int
    is_key: bool
    """It begins with a keyframe: playing may begin with it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file."""

    id: str
    """A UUIDv7 of the time it begins at, in whose order segments are."""
    stream: str
    began_at: float
    """When its first picture came: UTC, seconds since 1970. A picture's is that and its media time."""
    ended_at: float | None
    """When its last picture has been shown. None: it is being written."""
    codec: str
    """FFmpeg's name."""
    mime: str
    """As a browser's `MediaSource.isTypeSupported` takes it, RFC 6381: video/mp4; codecs="avc1.64001f"."""
    width: int
    height: int
    pictures: int
    """Encoded pictures in it."""
    size: int
    """Bytes of the file."""
    first_time: int
    """CodedPicture.time of the picture at media time 0, in microseconds: what boxes are placed by."""
    camera_at: float | None
    """The camera's own wall clock then; None where it does not tell."""
    follows: bool
    """It goes on where the one before ended: same connection, same form, nothing between them."""
    has_event: bool
    """An event that is recorded lies in it, with the seconds before and after."""
    init: bytes
    """`ftyp` and `moov` as they were written first: what begins a playlist. Closing the file overwrites them there."""
    fragments: tuple[Fragment, ...]
    is_local: bool = True
    """The file is on the disk of the machine that recorded it."""
    is_remote: bool = False
    """It is in object storage."""
    replica: str | None = None
    """Whose disk that is; None: of before there was a cluster."""


def packed(fragments: Iterable[Fragment]) -> bytes:
    """Fragments as a row keeps them: 17 bytes each."""
    return b"".join(
        _PACKED.pack(each.offset, each.size, each.time_ms, each.duration_ms, each.is_key) for each in fragments
    )


def unpacked(data: bytes) -> tuple[Fragment, ...]:
    """The reverse.

    Raises:
        ValueError: it is no whole number of fragments.
    """
    if len(data) % _PACKED.size:
        raise ValueError(f"{len(data)} bytes are no whole fragments")
    return tuple(
        Fragment(offset, size, time, duration, bool(is_key))
        for offset, size, time, duration, is_key in _PACKED.iter_unpack(data)
    )
