"""What an attempt reads: one camera's encoded pictures, whatever takes them out of what the camera sends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol as Interface

import av

from streamer.source.claims import Claims
from streamer.source.protocol import Protocol
from streamer.source.target import Limits
from streamer.values.coded import OnSound


@dataclass(slots=True)
class Unit:
    """One encoded picture, or a part of one where that is how it comes (an access unit, ITU-T H.264 3.1).

    Made for each that comes, therefore not frozen, which would cost as much again.
    """

    packet: "av.Packet[av.VideoStream] | None"
    """For the decoder; empty at the end of what has one. None: something came, and no picture is whole yet."""
    received_at: float
    """Monotonic seconds at which it came."""
    camera_time: float | None = None
    """The camera's wall clock as it took the picture, in seconds since 1970; None where it does not tell."""
    is_whole: bool = True
    """False: parts of it have not come yet, of a camera that refreshes its picture bit by bit."""
    coded_at: int = 0
    """CodedPicture.time of it."""
    is_turned: bool = False
    """Whether what was decoded from it had to be turned upright."""
    stands: bool = True
    """Of a keyframe: whether nothing that is shown after it needs what came before it, nor does it itself."""
    was_held: bool = False
    """Its picture was not wanted when it came: decoded, if at all, for those behind it."""


@dataclass(slots=True)
class Video:
    """The video of what was opened, ready to be decoded."""

    context: av.VideoCodecContext
    """Its decoder, for which there may be another from a keyframe on."""
    time_base: float
    """Seconds a tick of its packets' times; 0 where they have none."""
    frame_rate: float | None = None
    """Pictures a second, as far as is said."""
    pixel_aspect: float | None = None
    """Width of a pixel over its height, where it is said beside the video itself."""
    stream: av.VideoStream | None = None
    """Where FFmpeg takes its packets out of a container, which may write them otherwise than a stream of their own."""


class Opened(Interface):
    """A camera that has said what it sends."""

    @property
    def protocol(self) -> Protocol:
        """What kind of URL it is, and what follows from that."""

    @property
    def recorded(self) -> bool:
        """Whether it has an end, and can be begun again."""

    @property
    def audio(self) -> tuple[str, ...]:
        """Codecs of the sound beside the video, by FFmpeg's names."""

    @property
    def lost(self) -> int:
        """Datagrams that never came, as far as is known."""

    def hear(self, take: OnSound) -> str | None:
        """Have its sound handed on beside the video; asked for before the video, if at all.

        Returns:
            Why none will be, as a sentence; None: it will.
        """

    def video(self, limits: Limits) -> Video:
        """Its video, to be decoded within limits; asked for once.

        Raises:
            SourceError: kind "codec" or "too_large".
        """

    def units(self) -> Iterator[Unit]:
        """What comes, from where it stands to its end; a recording is begun again by asking again.

        Raises:
            SourceError, OSError, av.FFmpegError: it broke off.
        """

    def failed(self) -> bool:
        """Whether what looks like its end is not."""

    def rewind(self) -> None:
        """Begin a recording again."""


def limit(context: av.VideoCodecContext, limits: Limits) -> None:
    """Have a decoder keep to limits, in one thread: frame threads add a frame of delay each, and cost more in all.

    Raises:
        SourceError: kind "too_large".
    """
    limits.require_size(context.width, context.height)
    Claims(context, limits)
    context.thread_type = "NONE"
    context.thread_count = 1
    context.options = {"max_pixels": str(limits.max_pixels)}
