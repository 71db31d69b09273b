"""One encoded picture. A value."""

from dataclasses import dataclass
from fractions import Fraction

TIME_BASE = Fraction(1, 90_000)
"""RTP's clock for video (RFC 3551 section 4), so that packets need no conversion on their way out."""


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One encoded picture."""

    data: bytes
    """H.264 in Annex B with its parameter sets in band, a whole frame of VP8, or a whole JPEG."""
    pts: int
    """In units of TIME_BASE."""
    is_keyframe: bool
    """It needs no other. Every JPEG is one."""
