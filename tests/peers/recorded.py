"""Recorded segments made on the spot, as a recorder leaves them; pictures are numbered as those of clip.py are."""

from datetime import UTC, datetime
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_file import SegmentFile
from streamer.values.coded import MICROSECONDS, CodedForm, CodedPicture
from streamer.values.uuid7 import uuid7
from tests.peers.clip import make_clip

FPS = 30


def overwrite(path: Path, data: bytes) -> None:
    """Have a file hold something else, and at no moment nothing: a service that looks then would call it gone."""
    other = path.with_suffix(".other")
    other.write_bytes(data)
    other.replace(path)


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
    pictures = _pictures(clip, size)
    clip.unlink()
    file = SegmentFile(path, pictures[0], reorder=b_frames, step=MICROSECONDS // FPS)
    for picture in pictures:
        file.put(picture)
        file.flush()
    written, fragments, kept = path.read_bytes(), file.fragments, file.pictures
    file.close()
    if is_open:
        path.write_bytes(written)
    return Segment(
        id=id_,
        stream=stream,
        began_at=began_at,
        ended_at=None if is_open else began_at + seconds,
        codec=pictures[0].form.codec,
        mime=file.mime,
        width=size[0],
        height=size[1],
        pictures=kept if is_open else file.pictures,
        size=path.stat().st_size,
        first_time=pictures[0].time,
        camera_at=None,
        follows=follows,
        has_event=has_event,
        init=file.init,
        fragments=fragments if is_open else file.fragments,
    )


def path_of(folder: Path, stream: str, began_at: float, id_: str) -> Path:
    """Where its file is."""
    return folder / stream / f"{datetime.fromtimestamp(began_at, UTC):%Y/%m/%d}" / f"{id_}.mp4"


def _pictures(clip: Path, size: tuple[int, int]) -> list[CodedPicture]:
    """A clip's as sources hand them on: H.264 and H.265 in Annex B, with parameter sets at keyframes."""
    with av.open(str(clip)) as source:
        stream = source.streams.video[0]
        name, packets = stream.codec_context.name, [each for each in source.demux(stream) if each.pts is not None]
        if name != "mjpeg":
            # Without x264's words about itself, which stand before the first picture's delimiter, as no camera has it.
            wanted = "h264_mp4toannexb,filter_units=remove_types=6" if name == "h264" else "hevc_mp4toannexb"
            annex_b = BitStreamFilterContext(wanted, stream)
            packets = [each for packet in packets for each in annex_b.filter(packet)]
    form = CodedForm(name, *size, float(FPS))
    return [
        CodedPicture(bytes(each), round((each.pts or 0) * each.time_base * MICROSECONDS), 0.0, each.is_keyframe, form)
        for each in packets
    ]
