"""Recorded video read again: packets of a span of one segment, from the keyframe before it on. Blocks: for a thread."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import InputContainer

from streamer.archive.recordings.segment import Fragment, Segment
from streamer.archive.storage.object_file import ObjectFile
from streamer.values.coded import MICROSECONDS

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

Source = Path | ObjectFile
TIME_BASE = Fraction(1, MICROSECONDS)
BUFFER = 256 * 1024
"""Bytes that are read at a time."""


class Footage:
    """A span of one segment, opened. One thread."""

    def __init__(self, container: InputContainer, shift_to: int | None) -> None:
        """Read what is open.

        Args:
            container: it.
            shift_to: media time of its first picture, where FFmpeg need not know it: of fragments in which pictures are
                decoded in another order than they are shown in, it shows all so much later that none is shown before
                it is decoded. None: it knows.
        """
        self.container = container
        self._shift_to = shift_to

    @property
    def video(self) -> "VideoStream":
        """Its video."""
        return self.container.streams.video[0]

    @property
    def streams(self) -> "tuple[Stream, ...]":
        """That, and its sound if there is some."""
        return (self.video, *self.container.streams.audio[:1])

    def packets(self, streams: "Sequence[Stream]") -> "Iterator[Packet[Any]]":
        """What comes of these, its times in microseconds from the segment's first picture."""
        shift = 0
        for packet in self.container.demux(streams):
            if packet.pts is None or packet.dts is None:
                continue
            scale = packet.time_base / TIME_BASE
            pts, dts = round(packet.pts * scale), round(packet.dts * scale)
            if self._shift_to is not None and packet.stream.type == "video":
                shift, self._shift_to = pts - self._shift_to, None
            packet.pts, packet.dts, packet.duration = pts - shift, dts - shift, round((packet.duration or 0) * scale)
            packet.time_base = TIME_BASE
            yield packet


@contextmanager
def footage(path: Source, segment: Segment, began: int, ended: int) -> Iterator[Footage]:
    """Open a segment for a span.

    Args:
        path: of its file, or what there is of it elsewhere.
        segment: it; of one that is still written, what the index knows is there.
        began: media time in microseconds; reading begins at the keyframe before.
        ended: the same; of what comes later some is read too.

    Raises:
        OSError: the file cannot be opened, or is none.
        ValueError: nothing of the span is in it.
    """
    some = needed(segment, began, ended)
    if not some:
        raise ValueError("nothing of this span is in the file")
    if segment.ended_at is not None:
        closed = str(path) if isinstance(path, Path) else path
        with av.open(closed, "r", buffer_size=BUFFER) as container:
            video = container.streams.video[0]
            assert video.time_base is not None  # noqa: S101  a file has one
            container.seek(int(began / MICROSECONDS / video.time_base), stream=video)
            yield Footage(container, None)
    else:
        with (
            SomeFragments(path, segment.init, some) as file,
            av.open(file, "r", "mp4", buffer_size=BUFFER) as container,
        ):
            yield Footage(container, some[0].time_ms * 1000)


def needed(segment: Segment, began: int, ended: int) -> tuple[Fragment, ...]:
    """The fragments that are to be read to show a span of media time in microseconds."""
    keys = [number for number, each in enumerate(segment.fragments) if each.is_key]
    if not keys:
        return ()
    first = max((number for number in keys if segment.fragments[number].time_ms * 1000 <= began), default=keys[0])
    behind = segment.fragments[first:]
    return tuple(each for each in behind if each.time_ms * 1000 < ended) or behind[:1]


class SomeFragments(io.RawIOBase):
    """Fragments in a row, as if they were a file: `ftyp` and `moov`, and behind them those. One thread.

    What comes before them in the segment is not read at all: a moment of it costs its own second and no more.
    """

    def __init__(self, path: Source, init: bytes, fragments: Sequence[Fragment]) -> None:
        """Open them.

        Raises:
            OSError: the file cannot be opened.
        """
        super().__init__()
        self._init, self._at = init, 0
        self._begin, self._end = fragments[0].offset, fragments[-1].offset + fragments[-1].size
        self._file = path.open("rb") if isinstance(path, Path) else path

    def __len__(self) -> int:
        return len(self._init) + self._end - self._begin

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere in it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self)}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        """Where one is."""
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """As much as that, or what there is."""
        left = len(self) - self._at
        size = left if size is None or size < 0 else min(size, left)
        if size <= 0:
            return b""
        if self._at < len(self._init):
            found = self._init[self._at : self._at + size]
        else:
            self._file.seek(self._begin + self._at - len(self._init))
            found = self._file.read(size)
        self._at += len(found)
        return found
