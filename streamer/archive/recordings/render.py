"""A span of recorded video with its boxes drawn into it, encoded anew: for whoever plays it without us. Blocks.

It takes a core for as long as it lasts, so its thread gives way to all others where the system lets it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import OutputContainer
from av.video.reformatter import VideoReformatter

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.boxes_at import SAME, BoxesAt, Sample, usual_step
from streamer.archive.recordings.clip import PathOf, Stopped
from streamer.archive.recordings.cut import Part
from streamer.archive.recordings.footage import TIME_BASE, Footage, footage
from streamer.values.coded import MICROSECONDS
from streamer.values.frame import Frame, Planes
from streamer.values.track import TrackedBox

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

NICENESS = 15
"""Of its thread, of 19."""
RATE = 30.0
"""Pictures a second where that cannot be told."""
KEYFRAME_SECONDS = 2
OPTIONS = {"preset": "veryfast", "crf": "21"}
"""Of x264: hardly to be told from what it is of."""

Draw = Callable[[Frame, Sequence[TrackedBox], VideoReformatter], Planes]
"""Draws boxes on a copy of a frame."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which boxes are drawn."""

    labels: frozenset[str] = frozenset()
    """Of these classes; empty: of any."""
    min_score: float = 0.0

    def of(self, boxes: Sequence[TrackedBox]) -> list[TrackedBox]:
        """Those of them."""
        return [box for box in boxes if box.score >= self.min_score and (not self.labels or box.label in self.labels)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rendered."""

    parts: Sequence[Part]
    """All in one form."""
    boxes: Mapping[str, BoxColumns]
    """By segment; one may have none."""
    choice: Choice

    @property
    def duration(self) -> int:
        """Microseconds."""
        return self.parts[-1].at + self.parts[-1].duration


def write_render(
    wanted: Wanted,
    path_of: PathOf,
    draw: Draw,
    path: Path,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write it.

    Args:
        wanted: what.
        path_of: tells where a part's file is.
        draw: draws.
        path: of the file, which is not there yet.
        on_progress: told of what is done, 0..1, now and then.
        is_stopped: asked at each picture.

    Raises:
        Stopped: it was.
        OSError: a file cannot be read or written.
        ValueError: there is no picture in it.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    boxes = BoxesAt(_samples(wanted), usual_step([time for part in wanted.parts[:1] for time, _ in _in(part, wanted)]))
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as sink:
        drawing = _Drawing(sink, draw)
        for part in wanted.parts:
            with footage(path_of(part), part.segment, part.begin, part.end) as source:
                for frame, time in drawing.pictures(part, source):
                    if is_stopped():
                        raise Stopped
                    found = wanted.choice.of(boxes.at(_utc(part) + time))
                    drawing.add(
                        frame, part.at + time - part.begin, _scaled(found, frame, wanted.boxes.get(part.segment.id))
                    )
                    on_progress((part.at + time - part.begin) / wanted.duration)
        drawing.end()


class _Drawing:
    """What is drawn and encoded into one file."""

    def __init__(self, sink: OutputContainer, draw: Draw) -> None:
        self._sink, self._draw = sink, draw
        self._reformatter = VideoReformatter()
        self._video: VideoStream | None = None
        self._sound: Any = None
        self._last = -1
        self._sounded = -1

    def pictures(self, part: Part, source: Footage) -> Iterator[tuple[Frame, int]]:
        """Those that are shown of a part, and when in its segment; its sound goes where it belongs meanwhile."""
        video, sound = source.video, source.streams[1:]
        video.codec_context.thread_count = 1  # others would not give way
        if self._video is None:
            self._begin(part, sound)
        index = 0
        for packet in source.packets(source.streams if self._sound is not None else (video,)):
            if packet.stream.type == "audio":
                self._keep_sound(packet, part)
                continue
            for picture in _decoded(packet):
                yield from _shown(picture, part, index)
                index += 1
        for picture in video.codec_context.decode(None):
            yield from _shown(picture, part, index)

    def _begin(self, part: Part, sound: "Sequence[Any]") -> None:
        segment = part.segment
        rate = segment.pictures / max(0.1, segment.fragments[-1].time_ms / 1000) if segment.pictures > 1 else RATE
        rate = min(max(round(rate), 1), 120)
        stream = self._sink.add_stream("libx264", rate=rate, options=OPTIONS)
        assert isinstance(stream, av.VideoStream)  # noqa: S101  libx264 makes no other
        stream.width, stream.height, stream.pix_fmt = segment.width & ~1, segment.height & ~1, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = KEYFRAME_SECONDS * rate
        stream.codec_context.thread_count = 1
        self._video = stream
        if sound:
            self._sound = self._sink.add_stream_from_template(sound[0])
            self._sound.time_base = TIME_BASE

    def add(self, frame: Frame, time: int, boxes: Sequence[TrackedBox]) -> None:
        """Draw and encode one picture, shown then, microseconds from the beginning."""
        assert self._video is not None  # noqa: S101  it was begun by the picture's part
        picture = av.VideoFrame.from_ndarray(self._draw(frame, boxes, self._reformatter), format="yuv420p")
        picture.time_base = Fraction(1, 90_000)
        self._last = picture.pts = max(round(time * 0.09), self._last + 1)
        self._sink.mux(self._video.encode(picture))

    def end(self) -> None:
        """Encode what waits.

        Raises:
            ValueError: there was no picture.
        """
        if self._video is None or self._last < 0:
            raise ValueError("there is no picture in this span")
        self._sink.mux(self._video.encode(None))

    def _keep_sound(self, packet: "Packet[Any]", part: Part) -> None:
        time = packet.pts or 0
        if part.begin <= time < part.end:
            self._sounded = packet.pts = packet.dts = max(time - part.begin + part.at, self._sounded + 1)
            packet.stream = self._sound
            self._sink.mux(packet)


def _decoded(packet: "Packet[Any]") -> "Sequence[av.VideoFrame]":
    """Its pictures; none where it came damaged: one that was lost on the way must not cost all others."""
    try:
        return packet.decode()
    except av.error.InvalidDataError:
        return ()


def _shown(picture: av.VideoFrame, part: Part, index: int) -> Iterator[tuple[Frame, int]]:
    time = picture.pts
    if time is not None and part.begin - SAME <= time < part.end - SAME:
        yield Frame(part.segment.stream, index, time / MICROSECONDS, 0.0, picture), max(time, part.begin)


def _samples(wanted: Wanted) -> Iterator[Sample]:
    """Of all parts, one after the other, by UTC in microseconds: what lies behind a gap is far from what is before."""
    for part in wanted.parts:
        for time, found in _in(part, wanted):
            yield _utc(part) + time, found


def _in(part: Part, wanted: Wanted) -> Sequence[Sample]:
    boxes = wanted.boxes.get(part.segment.id)
    return () if boxes is None else list(boxes.between(0, part.end + MICROSECONDS))


def _utc(part: Part) -> int:
    return round(part.segment.began_at * MICROSECONDS)


def _scaled(boxes: Sequence[TrackedBox], frame: Frame, of: BoxColumns | None) -> Sequence[TrackedBox]:
    """In pixels of the frame; the sizes are the same but for a segment that another part's boxes reach into."""
    if of is None or (of.width, of.height) == (frame.width, frame.height):
        return boxes
    across, down = frame.width / of.width, frame.height / of.height
    return [
        replace(box, box=(box.box[0] * across, box.box[1] * down, box.box[2] * across, box.box[3] * down))
        for box in boxes
    ]
