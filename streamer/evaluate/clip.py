"""A video whose boxes are known: when each of its frames comes, and how one is known again when it is shown."""

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from streamer.values.errors import ConfigError

ROWS = 8
"""Every which row of a picture is looked at to know it again."""


@dataclass(frozen=True)
class Clip:
    """The frames of a clip that are played, numbered from 0 in the order they are shown in."""

    path: Path
    width: int
    height: int
    fps: float
    step: float
    """Seconds from one frame to the next, on average."""
    times: NDArray[np.float64]
    """[N] seconds from the first frame, rising."""
    fingerprints: tuple[int, ...]
    """N of them."""
    packets: int
    """To be sent so that these frames can be decoded."""
    frames: int
    """In the whole file: N of them are played."""
    _numbers: dict[int, list[int]] = field(default_factory=dict, repr=False)
    """The frames that have a fingerprint."""

    def __post_init__(self) -> None:
        for number, found in enumerate(self.fingerprints):
            self._numbers.setdefault(found, []).append(number)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return float(self.times[-1]) + self.step

    def plays_at(self, time: float) -> bool:
        """Whether a frame at `time`, in seconds from the first, is one of these and not one before or after."""
        return -self.step / 2 < time < float(self.times[-1]) + self.step / 2

    def number_of(self, found: int, time: float) -> int | None:
        """Which frame has this fingerprint, or None where none has: H.264 decodes to the same pixels everywhere.

        Where several have it, it is the one nearest to `time`, in seconds from the first frame.
        """
        candidates = self._numbers.get(found, [])
        return min(candidates, key=lambda number: abs(float(self.times[number]) - time), default=None)

    def only_with(self, found: int) -> int | None:
        """The one frame that has this fingerprint; None where several have it, or none, or the first.

        The first picture is shown before and after the clip as well.
        """
        candidates = self._numbers.get(found, [])
        return candidates[0] if len(candidates) == 1 and candidates != [0] else None


def fingerprint(picture: av.VideoFrame) -> int:
    """A number that tells a picture from others, of every eighth row of its luma: a tenth of a millisecond at 720p."""
    plane = picture.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return zlib.crc32(luma[: picture.height : ROWS, : picture.width].tobytes())


def step_of(video: av.VideoStream) -> float:
    """From one frame to the next on average, in units of the stream's time base.

    Raises:
        ValueError: it states no frame rate.
    """
    rate, time_base = video.average_rate or video.guessed_rate, video.time_base
    if not rate or not time_base:
        raise ValueError("it states no frame rate")
    return float(1 / (rate * time_base))


def packets_of(container: InputContainer, video: av.VideoStream) -> "Iterator[av.Packet[Any]]":
    """The packets of a video in the order they are sent in, each with pts and dts, from the first keyframe on."""
    begun, early, step = False, list["av.Packet[Any]"](), step_of(video)
    for packet in container.demux(video):
        begun = begun or packet.is_keyframe
        if not begun or packet.pts is None:
            continue
        early.append(packet)
        if packet.dts is not None:
            # Matroska has none; FFmpeg finds them out, but for the first as many as may be shown in another order.
            for back, one in enumerate(reversed(early)):
                one.dts = packet.dts - round(back * step)
            yield from early
            early.clear()


def read(path: Path, seconds: float | None, look: Callable[[int], None] = lambda _: None) -> Clip:
    """Decode a clip, once, to know its frames again.

    Args:
        path: a video that carries H.264, as cameras send it.
        seconds: play that much of it; None for all.
        look: told now and then how many frames were read.

    Raises:
        ConfigError: it is no such video.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ConfigError(f"{path}: carries no video; a camera sends h264")
            video = container.streams.video[0]
            if video.codec.name != "h264":
                raise ConfigError(f"{path}: carries {video.codec.name}; a camera sends h264")
            video.codec_context.thread_type = "AUTO"
            return _read(path, container, video, seconds, look)
    except (OSError, av.FFmpegError) as error:
        raise ConfigError(f"{path}: cannot be read as a video: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: cannot be played: {error}") from None


def _read(
    path: Path, container: InputContainer, video: av.VideoStream, seconds: float | None, look: Callable[[int], None]
) -> Clip:
    time_base = float(video.time_base or 0)
    step = step_of(video) * time_base
    sent: list[int] = []
    shown: dict[int, int] = {}
    until = math.inf
    for packet in packets_of(container, video):
        sent.append(packet.pts or 0)
        if len(sent) == 1 and seconds is not None:
            until = sent[0] + seconds / time_base
        if (packet.dts or 0) < until:  # those after the end are only counted
            _look_at(packet.decode(), shown)
            look(len(shown))
    _look_at(video.codec_context.decode(None), shown)
    pts = sorted(one for one in shown if one < until)
    if not pts:
        raise ConfigError(f"{path}: no picture of it can be decoded")
    return Clip(
        path=path,
        width=video.width,
        height=video.height,
        fps=1 / step,
        step=step,
        times=(np.array(pts, np.float64) - pts[0]) * time_base,
        fingerprints=tuple(shown[one] for one in pts),
        packets=max(number for number, one in enumerate(sent, start=1) if one <= pts[-1]),
        frames=max(len(sent), len(shown)),
    )


def _look_at(pictures: Iterable[av.VideoFrame], shown: dict[int, int]) -> None:
    for picture in pictures:
        if picture.pts is not None:
            shown[picture.pts] = fingerprint(picture)
