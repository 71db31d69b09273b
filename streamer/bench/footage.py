"""Clips for the cameras, made once of the demo's footage."""

from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.frame import PictureType
from av.video.stream import VideoStream

from streamer.bench.numbers import draw

RATE = 30
OPTIONS = {
    "libx264": {"preset": "veryfast", "bf": "0", "g": str(RATE), "crf": "26"},
    "libx265": {"preset": "ultrafast", "crf": "28", "x265-params": f"bframes=0:keyint={RATE}:log-level=none"},
}


def shrunk(
    footage: Path, folder: Path, size: tuple[int, int], *, encoder: str = "libx264", seconds: float | None = None
) -> Path:
    """The footage at a size of which one core decodes many, a keyframe a second; the first `seconds` of it or all."""
    length = "" if seconds is None else f"-{seconds:g}s"
    clip = folder / f"bench-{size[0]}x{size[1]}-{encoder}{length}.mp4"
    if clip.exists():
        return clip
    draft = clip.with_suffix(".part.mp4")
    with av.open(str(footage)) as source, av.open(str(draft), "w") as sink:
        out = cast(VideoStream, sink.add_stream(encoder, rate=RATE, options=OPTIONS[encoder]))
        out.width, out.height, out.pix_fmt = *size, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if seconds is not None and index >= seconds * RATE:
                break
            small = frame.reformat(*size, format="yuv420p")
            small.pict_type = PictureType.NONE
            sink.mux(out.encode(small))
        sink.mux(out.encode(None))
    return draft.rename(clip)


def numbered(
    footage: Path, folder: Path, size: tuple[int, int], pictures: int, *, rate: int = RATE, megabits: float = 3
) -> Path:
    """The footage's first pictures as raw H.264, without delay as a camera encodes it, each with its number in it."""
    # Named by all that it depends on: another release's is none of ours, and its ages would be wrong by seconds.
    clip = folder / f"bench-numbered-{size[0]}x{size[1]}-{rate}-{pictures}-{megabits:g}.h264"
    if clip.exists():
        return clip
    draft = clip.with_suffix(".part.h264")
    options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "b": f"{megabits}M",
        "x264-params": f"keyint={rate}:min-keyint={rate}:scenecut=0:repeat-headers=1:aud=1",
    }
    with av.open(str(footage)) as source, av.open(str(draft), "w", format="h264") as sink:
        out = sink.add_stream("libx264", rate=rate, options=options)
        out.width, out.height, out.pix_fmt = *size, "yuv420p"
        for number, frame in zip(range(pictures), source.decode(video=0), strict=False):
            planes = np.asarray(frame.reformat(*size, format="yuv420p").to_ndarray(), np.uint8)
            draw(planes[: size[1]], number)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts = number
            sink.mux(out.encode(picture))
        sink.mux(out.encode(None))
    return draft.rename(clip)
