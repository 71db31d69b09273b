"""Recorded segments made on the spot, as a recorder leaves them; pictures are numbered as those of clip.py are."""

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

from streamer.archive.recordings.segment import Fragment, Segment
from streamer.values.uuid7 import uuid7
from tests.peers.clip import make_clip

FLAGS = {
    "movflags": "+hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
FPS = 30
MIMES = {"h264": 'video/mp4; codecs="avc1.42c00b"', "hevc": 'video/mp4; codecs="hvc1.1.6.L60.90"'}


def record(
    folder: Path,
    began_at: float,
    *,
    stream: str = "a",
    seconds: float = 4.0,
    first: int = 0,
    size: tuple[int, int] = (160, 120),
    gop: int = 15,
    b_frames: int = 0,
    codec: str = "libx264",
    is_open: bool = False,
    follows: bool = False,
    has_event: bool = False,
) -> Segment:
    """Write one, and say what a recorder says of it.

    Args:
        folder: of all recordings.
        began_at: UTC, seconds since 1970.
        stream: whose it is.
        seconds: its length, at 30 pictures a second.
        first: the number of its first picture.
        size: of the pictures.
        gop: from one keyframe, and fragment, to the next; of less than a second.
        b_frames: most in a row that are shown in another order than they are sent.
        codec: libx264, libx265 or mjpeg.
        is_open: it is still being written; its last pictures are not in the file yet.
        follows: it goes on where another ended.
        has_event: one lies in it.
    """
    id_ = uuid7(began_at)
    path = path_of(folder, stream, began_at, id_)
    path.parent.mkdir(parents=True, exist_ok=True)
    clip = make_clip(
        path.with_suffix(".source.mp4"),
        width=size[0],
        height=size[1],
        seconds=seconds,
        gop=gop,
        b_frames=b_frames,
        codec=codec,
        first=first,
    )
    written, closed, keys, name, pictures = _muxed(clip)
    clip.unlink()
    path.write_bytes(written if is_open else closed)
    init = written[: next(at for kind, at, _ in _boxes(written) if kind == "moof")]
    boxes = list(_boxes(written if is_open else closed, len(init)))
    return Segment(
        id=id_,
        stream=stream,
        began_at=began_at,
        ended_at=None if is_open else began_at + seconds,
        codec=name,
        mime=MIMES.get(name, "video/mp4"),
        width=size[0],
        height=size[1],
        pictures=pictures,
        size=path.stat().st_size,
        first_time=0,
        camera_at=None,
        follows=follows,
        has_event=has_event,
        init=init,
        fragments=_fragments(boxes, keys, round(seconds * 1000)),
    )


def path_of(folder: Path, stream: str, began_at: float, id_: str) -> Path:
    """Where its file is."""
    return folder / stream / f"{datetime.fromtimestamp(began_at, UTC):%Y/%m/%d}" / f"{id_}.mp4"


def _muxed(clip: Path) -> tuple[bytes, bytes, list[int], str, int]:
    """A clip's packets in the recorder's form: before and after it is closed; when keyframes are shown, in ms."""
    keys, file = list[int](), io.BytesIO()
    packets, name = _packets(clip)
    with av.open(io.BytesIO(bytes(packets[0])), format=name) as probe:
        sink = av.open(file, "w", format="mp4", options=FLAGS)
        out = sink.add_stream_from_template(probe.streams.video[0])
        out.time_base = packets[0].time_base
        if name == "hevc":
            out.codec_context.codec_tag = "hvc1"
        for packet in packets:
            assert packet.pts is not None
            if packet.is_keyframe:
                keys.append(round(packet.pts * packet.time_base * 1000))
            packet.stream = out
            sink.mux(packet)
        written = file.getvalue()
        sink.close()
    return written, file.getvalue(), keys, name, len(packets)


def _packets(clip: Path) -> "tuple[list[av.Packet[Any]], str]":
    """A clip's as sources give them: H.264 and H.265 in Annex B, with parameter sets at keyframes. And its codec."""
    with av.open(str(clip)) as source:
        stream = source.streams.video[0]
        name, packets = stream.codec_context.name, [each for each in source.demux(stream) if each.pts is not None]
        if name == "mjpeg":
            return packets, name
        # Without x264's words about itself, which stand before the first picture's delimiter, as no camera has it.
        wanted = "h264_mp4toannexb,filter_units=remove_types=6" if name == "h264" else "hevc_mp4toannexb"
        annex_b = BitStreamFilterContext(wanted, stream)
        return [each for packet in packets for each in annex_b.filter(packet)], name


def _fragments(boxes: list[tuple[str, int, int]], keys: list[int], end: int) -> tuple[Fragment, ...]:
    """Of the pairs of `moof` and `mdat`, one for each keyframe."""
    starts = [at for kind, at, _ in boxes if kind == "moof"]
    ends = [at + size for kind, at, size in boxes if kind == "mdat"]
    overs = [*keys[1:], end]
    return tuple(
        Fragment(offset, over - offset, time, until - time, True)
        for offset, over, time, until in zip(starts, ends, keys, overs, strict=False)
    )


def _boxes(data: bytes, at: int = 0) -> Iterator[tuple[str, int, int]]:
    """Those one after the other from there on: kind, offset, size (ISO/IEC 14496-12 section 4.2)."""
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind.decode("latin-1"), at, size
        at += size
