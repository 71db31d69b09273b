"""Clips: a span of recorded video as one plain MP4 file, its packets as they came. Blocks: for a thread.

The file holds what is decoded from the keyframe before on, and an edit list (ISO/IEC 14496-12 section 8.6.6) that has
players begin exactly where the span does: our muxer writes one for times below zero.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import OutputContainer

from streamer.archive.recordings.cut import Part
from streamer.archive.recordings.footage import TIME_BASE, Footage, Source, footage

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

PathOf = Callable[["Part"], Source]
"""Where a part's file is."""


class Stopped(Exception):
    """Nobody wants it any more."""


def write_clip(
    parts: Sequence[Part], path_of: PathOf, path: Path, is_stopped: Callable[[], bool] = lambda: False
) -> None:
    """Write a clip.

    Args:
        parts: of it; all in one form.
        path_of: tells where each is.
        path: of the clip, which is not there yet.
        is_stopped: asked at each packet.

    Raises:
        Stopped: it was.
        OSError: a file cannot be read or written.
        ValueError: there is no picture in it.
    """
    with av.open(str(path), "w", format="mp4") as sink:
        began = datetime.fromtimestamp(parts[0].began_at, UTC)
        sink.metadata["creation_time"] = began.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        tracks = _Tracks(sink)
        for part in parts:
            with footage(path_of(part), part.segment, part.begin, part.end) as source:
                tracks.take(part, source, is_stopped)
        if not tracks.is_begun:
            raise ValueError("there is no picture in this span")


class _Tracks:
    """Of one clip: the video, and sound if its first part has some."""

    def __init__(self, sink: OutputContainer) -> None:
        self._sink = sink
        self._of: dict[str, Stream] = {}
        """By kind."""
        self._last: dict[str, int] = {}
        """When its newest packet is decoded."""

    @property
    def is_begun(self) -> bool:
        """Whether anything is in it."""
        return "video" in self._last

    def take(self, part: Part, source: Footage, is_stopped: Callable[[], bool]) -> None:
        """Add a part."""
        if not self._of:
            self._of = {stream.type: self._like(stream) for stream in source.streams}
        streams = [stream for stream in source.streams if stream.type in self._of]
        for packet in shown(source.packets(streams), part.end):
            if is_stopped():
                raise Stopped
            self._mux(packet, part.at - part.begin)

    def _like(self, stream: "Stream") -> "Stream":
        made = self._sink.add_stream_from_template(stream)
        made.time_base = TIME_BASE
        if stream.codec_context.name == "hevc":
            made.codec_context.codec_tag = "hvc1"  # Apple's players know no other
        return made

    def _mux(self, packet: "Packet[Any]", by: int) -> None:
        kind = packet.stream.type
        due = (packet.dts or 0) + by
        due = max(due, self._last.get(kind, due - 1) + 1)
        packet.pts, packet.dts = max((packet.pts or 0) + by, due), due
        self._last[kind] = due
        packet.stream = self._of[kind]
        self._sink.mux(packet)


def shown(packets: "Iterable[Packet[Any]]", end: int) -> "Iterator[Packet[Any]]":
    """Up to the last that is needed for what is shown before the end, in the order they are decoded in."""
    waiting: list[Packet[Any]] = []
    for packet in packets:
        if packet.dts is not None and packet.dts >= end:
            continue
        waiting.append(packet)
        if packet.pts is not None and packet.pts < end:
            yield from waiting
            waiting.clear()
