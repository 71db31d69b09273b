"""One encoded picture on its way from a camera to whatever keeps it as it came. Values."""

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
