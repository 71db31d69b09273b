"""Makes of a segment's file that was never ended one that any player opens, whatever cut it off.

It is cut after its last whole fragment and then written anew with an index: Firefox takes the first seconds of one
without for the whole. Its pictures stay as they are. Everything here blocks.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import av

from streamer.archive.recordings.fragments import HEADER, add
from streamer.archive.recordings.growing_file import GrowingFile
from streamer.archive.recordings.mime import mime_of
from streamer.archive.recordings.segment import Fragment, Segment
from streamer.archive.recordings.segment_file import HVC1, container_in
from streamer.values.coded import MICROSECONDS

PART = ".part"
"""How the name of what is being written ends."""

_INDEX_AT = 64
"""Where our files' first `moov` begins, and their fragments behind it, be they closed or not."""
_HEADER_AT = 32
"""Where the header is written that turns all that into one `mdat`; `free` before."""
_MOST_MOOF = 16 << 20
"""Bytes of one that is read into memory; those of a second have some hundreds."""


@dataclass(slots=True)
class _Found:
    """What of a file is whole."""

    ended: bool
    """It has the index that closing it writes."""
    init: bytes = b""
    fragments: list[Fragment] = field(default_factory=list)
    pictures: int = 0

    @property
    def end(self) -> int:
        """Bytes up to the end of the last fragment."""
        return self.fragments[-1].offset + self.fragments[-1].size


def mend(path: Path, segment: Segment) -> Segment | None:
    """Make a file whole.

    Args:
        path: the file.
        segment: what is known of it; where that is only from its name, `codec` is empty.

    Returns:
        what it is now; None: there was nothing whole in it, and it is removed.

    Raises:
        OSError: it cannot be read or written now; what is whole of it is as it was.
        ValueError: it is none of our files.
    """
    with path.open("rb") as file:
        found = _look(file)
    if not found.fragments:
        path.unlink()
        return None
    if not found.ended:
        with path.open("r+b") as file:
            file.truncate(found.end)
            file.seek(_HEADER_AT)  # which is the whole file's once it is ended
            file.write(struct.pack(">I4s", _INDEX_AT - _HEADER_AT, b"free"))
        found = _written_anew(path) or found
    last = found.fragments[-1]
    return replace(
        _seen(path, segment),
        ended_at=segment.began_at + (last.time_ms + last.duration_ms) / 1000,
        mime=mime_of(found.init),
        pictures=found.pictures,
        size=path.stat().st_size,
        init=found.init,
        fragments=tuple(found.fragments),
    )


def _look(file: BinaryIO) -> _Found:
    """Find what is whole."""
    size = os.fstat(file.fileno()).st_size
    outside = [(kind, begin, end) for kind, begin, end in _boxes(file, 0, size)]
    if not outside or outside[0][0] != b"ftyp":
        return _Found(ended=False) if size < _INDEX_AT else _none_of_ours()
    ended = [kind for kind, _, _ in outside] == [b"ftyp", b"free", b"mdat", b"moov"]
    found = _Found(ended)
    moof: tuple[int, bytes] | None = None
    for kind, begin, end in _boxes(file, _INDEX_AT, outside[2][2] if ended else size):
        if kind == b"moov":
            if found.init:
                break  # the index at the end, half written or whole
            found.init = _read(file, *outside[0][1:]) + _read(file, begin, end)
        elif kind == b"moof" and end - begin <= _MOST_MOOF:
            moof = begin, _read(file, begin, end)
        elif kind == b"mdat" and moof is not None and found.init:
            found.pictures += add(found.fragments, moof[1], moof[0], end - moof[0], MICROSECONDS)
            moof = None
        else:
            break
    return found


def _none_of_ours() -> _Found:
    raise ValueError("it does not begin as a recording does")


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of those that are whole, one after the other."""
    while begin + HEADER <= end:
        header = _read(file, begin, min(begin + 16, end))
        size, kind = struct.unpack_from(">I4s", header)
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, HEADER)
        if size < HEADER or begin + size > end:
            return
        yield kind, begin, begin + size
        begin += size


def _read(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(end - begin)


def _written_anew(path: Path) -> _Found | None:
    """Write it with an index, in its own place; None: FFmpeg cannot, and it stays as it is."""
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    file = GrowingFile(part, MICROSECONDS)
    try:
        with av.open(str(path), format="mp4") as source:
            container = container_in(file, has_fragment_a_key=source.streams.video[0].codec_context.name != "mjpeg")
            tracks = {each.index: container.add_stream_from_template(each, opaque=True) for each in source.streams}
            for track in tracks.values():
                if track.codec_context.name == "hevc":
                    track.codec_context.codec_tag = HVC1
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = tracks[packet.stream.index]
                    container.mux(packet)
                    file.flush()
            container.close()
        file.flush(durably=True)
    except (av.FFmpegError, ValueError) as error:
        file.close()
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise
        return None
    except BaseException:
        file.close()
        part.unlink(missing_ok=True)
        raise
    file.close()
    part.replace(path)
    return _Found(True, file.init, file.fragments, file.pictures)


def _seen(path: Path, segment: Segment) -> Segment:
    """With what only the file can tell, where that is all there is."""
    if segment.codec:
        return segment
    with av.open(str(path), format="mp4") as file:
        context = file.streams.video[0].codec_context
        return replace(segment, codec=context.name, width=context.width, height=context.height)
