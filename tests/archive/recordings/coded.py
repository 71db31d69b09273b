"""Encoded pictures as a source hands them on, out of small clips whose frames carry their numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from streamer.values.coded import MICROSECONDS, CodedForm, CodedPicture
from tests.peers.clip import read_index

FPS = 10
STEP = MICROSECONDS // FPS
FIRST = 7_000_000_000
"""Time of the first picture, on its camera's clock."""
_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb", "mjpeg": "null"}


def pictures_of(clip: Path, reorder: int = 0) -> list[CodedPicture]:
    """Those of a clip, in the order they are decoded in, each arriving when it would."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        form = CodedForm(context.name, context.width, context.height, float(FPS), reorder)
        annex_b = BitStreamFilterContext(_FILTERS[context.name], stream)
        packets = [unit for packet in container.demux(stream) for unit in annex_b.filter(packet) if unit.size]
        assert stream.time_base is not None
        first = min(packet.pts for packet in packets if packet.pts is not None)
        return [
            CodedPicture(
                bytes(packet),
                FIRST + round((packet.pts - first) * stream.time_base * MICROSECONDS),
                number / FPS,
                packet.is_keyframe,
                form,
            )
            for number, packet in enumerate(packets)
            if packet.pts is not None
        ]


def looped(pictures: Sequence[CodedPicture], count: int, at: float = 0.0) -> Iterator[CodedPicture]:
    """So many of a clip that begins again at its end, each arriving when it would from `at` on."""
    for number in range(count):
        turn, place = divmod(number, len(pictures))
        picture = pictures[place]
        yield replace(picture, time=picture.time + turn * len(pictures) * STEP, received_at=at + number / FPS)


def numbers_in(path: Path) -> list[int]:
    """What is drawn on each frame of a file, in the order they are shown."""
    with av.open(str(path)) as container:
        return [read_index(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


def times_in(path: Path) -> list[int]:
    """When each frame of a file is shown, in microseconds, in order."""
    with av.open(str(path)) as container:
        return [round(frame.time * MICROSECONDS) for frame in container.decode(video=0)]
