"""The frames of a video file: each, or one now and then."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamer.annotate.answer import Unreadable
from streamer.source.container import Contained
from streamer.source.decoding import Decoding
from streamer.source.protocol import Protocol
from streamer.source.rotation import upright
from streamer.source.target import Limits
from streamer.values.errors import SourceError

LIMITS = Limits(max_packet_bytes=64 << 20)
"""4K, as of a camera. Editors' codecs have packets of 30 MB."""
FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf"
"""Containers: no playlist, which would name other files, and no format that guesses."""
_FILE = Protocol(None, {"protocol_whitelist": "file", "format_whitelist": FORMATS})
FPS = 25.0
"""Of a video that does not say when its frames are shown."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame, upright."""

    number: int
    """Counted from 0, those between that are left out as well."""
    seconds: float
    """From the video's first frame."""
    picture: av.VideoFrame

    def rgb(self, reformatter: VideoReformatter) -> NDArray[np.uint8]:
        """Uint8 [height, width, 3]."""
        return cast(NDArray[np.uint8], reformatter.reformat(self.picture, format="rgb24").to_ndarray())


def frames_of(path: Path, every: float | None) -> Iterator[VideoFrame]:
    """Decode a video from its beginning to its end. Blocks: for a thread.

    Args:
        path: of the file.
        every: seconds from one frame to the next that is given; None: each is.

    Raises:
        Unreadable: it is no video, or breaks off; what came before has been given.
    """
    try:
        with (
            av.open(str(path.absolute()), "r", options=_FILE.options) as container,
            closing(_decoded(Contained(container, _FILE, recorded=True))) as pictures,
        ):
            yield from _chosen(pictures, every)
    except (OSError, av.FFmpegError) as error:
        raise Unreadable(f"it cannot be read as a video: {error.strerror or error}") from None
    except SourceError as error:
        raise Unreadable(str(error).replace("the camera sends", "it has")) from None
    except MemoryError:
        raise Unreadable("there is not enough memory to decode it") from None


def _decoded(opened: Contained) -> Generator[tuple[float, av.VideoFrame], None, None]:
    """Seconds, from anywhere, and picture."""
    video = opened.video(LIMITS)
    decoding, count, reformatter = Decoding(video.context, LIMITS), 0, VideoReformatter()
    fps = video.frame_rate or FPS
    for unit in opened.units():
        if unit.packet is None:
            continue
        for picture in decoding.pictures(unit.packet):
            at = count / fps if picture.pts is None else picture.pts * video.time_base
            count += 1
            yield at, upright(picture, reformatter)
    if not count:
        raise Unreadable("nothing of its video can be decoded")


def _chosen(pictures: Iterator[tuple[float, av.VideoFrame]], every: float | None) -> Iterator[VideoFrame]:
    first, due = None, 0.0
    for number, (at, picture) in enumerate(pictures):
        first = at if first is None else first
        seconds = at - first
        if every is not None:
            if seconds < due - 1e-6:
                continue
            due = (seconds // every + 1) * every
        yield VideoFrame(number, round(seconds, 6), picture)
