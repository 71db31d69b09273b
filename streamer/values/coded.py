"""Encoded pictures and sound on their way from a camera to whatever keeps them as they came. Values."""

from collections.abc import Callable
from dataclasses import dataclass

MICROSECONDS = 1_000_000
"""A second in the times of encoded pictures."""


@dataclass(frozen=True, slots=True)
class CodedForm:
    """What a source's pictures are coded in. Another form is another file."""

    codec: str
    """FFmpeg's name: h264, hevc, mjpeg, vp8 …"""
    width: int
    """Pixels of the decoded picture, before it is turned upright."""
    height: int
    frame_rate: float | None = None
    """Pictures a second, as far as is said."""
    reorder: int = 0
    """Pictures that may come before one that is shown earlier (H.264 and H.265 max_num_reorder_frames)."""
    name: str = ""
    """What browsers call it (RFC 6381 section 3.3), of H.264 alone: avc1.64001f. "" where nobody can say."""


@dataclass(slots=True)
class CodedPicture:
    """One encoded picture, in the order they are decoded in.

    Made for each that comes, therefore not frozen, which would cost as much again.
    """

    data: bytes
    """H.264 and H.265 in Annex B, each keyframe with its parameter sets; of others a whole frame."""
    time: int
    """When it is shown, in microseconds of its source's own clock; by arrival where that has none. The same number is
    `Frame.coded_at` of the picture that is decoded from it. It means something within one `opening` only."""
    received_at: float
    """Monotonic seconds at which it came."""
    is_key: bool
    """Decoding can begin with it."""
    form: CodedForm
    opening: int = 0
    """Counts the connections of its source, as Frame.opening does."""
    camera_time: float | None = None
    """The camera's wall clock as it took the picture, in seconds since 1970; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class SoundForm:
    """What a source's sound is coded in. Another form is another file."""

    codec: str
    """FFmpeg's name: aac, opus; pcm_alaw, pcm_mulaw …, which have no place in MP4."""
    sample_rate: int
    """Samples a second."""
    channels: int
    setup: bytes = b""
    """What a decoder is told first, FFmpeg's extradata: of AAC its AudioSpecificConfig (ISO/IEC 14496-3, 1.6)."""


@dataclass(slots=True)
class CodedSound:
    """One packet of encoded sound, in the order they are heard in."""

    data: bytes
    """As a container takes it: of AAC one access unit without ADTS, of Opus one packet."""
    time: int
    """When it is heard, in microseconds of the clock that the pictures' times are of."""
    duration: int
    """Microseconds of it; 0 where that is not known."""
    received_at: float
    """Monotonic seconds at which it came."""
    form: SoundForm
    opening: int = 0
    """As of pictures."""


OnCoded = Callable[[CodedPicture], None]
"""Takes each encoded picture, in its source's thread; neither waits nor raises."""
OnSound = Callable[[CodedSound], None]
"""The same of sound."""
