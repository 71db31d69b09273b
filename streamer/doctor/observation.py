"""What came from a camera while it was watched, as it came: written by one thread, read by others when it has ended."""

from dataclasses import dataclass, field

import av

from streamer.source.rtsp.traits import Traits
from streamer.values.errors import SourceError


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet that came."""

    at: float
    """Monotonic seconds."""
    time: float | None
    """The camera's own, in seconds; None where it gives none."""
    size: int
    """Bytes."""
    is_keyframe: bool
    ahead: float | None = None
    """Seconds by which the camera's wall clock was ahead of ours as it came; None where it does not tell."""


@dataclass(frozen=True)
class Kind:
    """What a camera said it sends."""

    codec: str
    """FFmpeg's name: h264, hevc, mjpeg."""
    profile: str | None
    pixel_format: str | None
    pixel_aspect: float
    """Width of a pixel over its height; 1 is square, and what is taken where nothing is said."""
    audio: tuple[str, ...] = ()
    """Codecs of the sound beside it, where it was asked for."""
    clocked: bool = True
    """Whether this kind of URL carries the camera's times at all."""
    bursts: bool = False
    """Whether packets come faster than they happened."""
    recorded: bool = False


@dataclass
class Observation:
    """Everything there is to judge by. Times are monotonic seconds."""

    began_at: float
    resolved_at: float | None = None
    """When the name server had answered; None before, and where nobody was asked."""
    opened_at: float | None = None
    """When the camera had said what it sends."""
    ended_at: float | None = None
    kind: Kind | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    size: tuple[int, int] | None = None
    """Columns and rows of the first picture, upright; before it, of what was announced. None: nobody said."""
    first_picture_at: float | None = None
    picture: av.VideoFrame | None = None
    """The first one, upright."""
    contrast: float | None = None
    """Standard deviation of its brightness, of 0..255."""
    pictures: int = 0
    """Decoded."""
    b_pictures: int = 0
    """Of these, such as are predicted from later ones."""
    interlaced: int = 0
    damaged: int = 0
    """Of these, such as the decoder had to repair."""
    undecodable: int = 0
    """Packets that the decoder could make nothing of."""
    decode_seconds: float = 0.0
    """Processor time for all of them."""
    lost: int = 0
    """Datagrams that RTP's numbers show to be missing."""
    error: SourceError | None = None
    """Why it ended, where that was a failure."""
    traits: Traits | None = None
    """What it said and showed of itself by RTSP; None: it did not answer, or was not asked by that."""
    answers_tcp: bool | None = None
    """Whether its port takes connections; None where nobody tried."""

    @property
    def realm(self) -> str | None:
        """What it asks a password for."""
        if self.error is not None and self.error.realm is not None:
            return self.error.realm
        return None if self.traits is None else self.traits.realm
