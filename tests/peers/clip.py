"""Small clips made on the spot; every frame carries its own number as black and white blocks.

The blocks are large and far apart in brightness, so they survive any encoder: a test that sees a decoded frame, in
Python or on a browser's canvas, knows which frame of the clip it is.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

INDEX_BITS = 16
"""The number's blocks fill the top eighth of the picture, most significant bit first: 16 columns, white is one."""

_BLACK, _WHITE = 16, 235


def draw_frame(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw frame `index`: a grey ramp, one bright square on its way through it, the number on top.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    luma = np.tile(np.linspace(60, 140, width, dtype=np.uint8), (height, 1))
    side = height // 4
    left, top = 4 * index % max(1, width - side), height // 4 + 2 * index % max(1, height // 2)
    luma[top : top + side, left : left + side] = 220
    luma[: height // 8] = np.where(index >> _bit_of_column(width) & 1, _WHITE, _BLACK)
    return np.repeat(luma[:, :, None], 3, axis=2)


def read_index(image: NDArray[Any]) -> int:
    """Read a frame's number back.

    Args:
        image: 0..255, [height, width, 3] or [height, width], of any size the clip was scaled to.
    """
    height, width = image.shape[:2]
    row = image[height // 16].reshape(width, -1).mean(axis=1)
    centres = (np.arange(INDEX_BITS) * 2 + 1) * width // (2 * INDEX_BITS)
    return int("".join("1" if row[centre] > 128 else "0" for centre in centres), 2)


def make_clip(
    path: Path,
    *,
    width: int = 320,
    height: int = 240,
    fps: int | Fraction = 30,
    seconds: float | Fraction = 2.0,
    gop: int = 30,
    b_frames: int = 0,
    codec: str = "libx264",
    first: int = 0,
) -> Path:
    """Encode a clip; the container is the one `path`'s suffix names (.mp4, .mkv, .ts).

    Args:
        path: where to write it; returned.
        width: in pixels, at least 64.
        height: in pixels.
        fps: frames a second.
        seconds: length; the clip has round(seconds * fps) frames, numbered from 0.
        gop: frames from one key frame to the next.
        b_frames: most frames in a row that are shown in another order than they are sent.
        codec: libx264, libx265 or mjpeg.
        first: the number of the first frame.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = 1 / Fraction(fps)
        stream.codec_context.gop_size = gop
        # Access unit delimiters and headers in the stream itself, because an RTSP server passes only that on.
        params = f"aud=1:repeat-headers=1:scenecut=0:keyint={gop}:min-keyint={gop}:bframes={b_frames}"
        options: dict[str, dict[str, str]] = {
            "libx264": {"preset": "ultrafast", "crf": "23", "x264-params": params},
            "libx265": {"preset": "ultrafast", "crf": "23", "x265-params": f"{params}:log-level=none"},
            # RFC 2435 knows the standard tables only.
            "mjpeg": {"huffman": "default", "q:v": "3"},
        }
        stream.options = dict(options[codec])
        for index in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(draw_frame(first + index, width, height), format="rgb24")
            frame.pts, frame.time_base = index, 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _bit_of_column(width: int) -> NDArray[np.int64]:
    return INDEX_BITS - 1 - np.arange(width) * INDEX_BITS // width
