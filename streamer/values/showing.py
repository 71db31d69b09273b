"""A picture as it went to viewers. A value."""

from dataclasses import dataclass

from streamer.values.frame import Frame


@dataclass(frozen=True, slots=True)
class Showing:
    """One frame that was drawn, encoded and handed to whoever watched. Times are monotonic seconds, and rise."""

    frame: Frame
    drawn_at: float
    """When its hold was over and drawing began."""
    encoded_at: float
    """When the last encoder was done with it."""
    published_at: float
    """When it lay in every viewer's buffer."""
    pts: int
    """EncodedPacket.pts in every codec it was encoded in. A browser sees as RTP timestamp this and its sender's
    random origin, modulo 2^32 (RFC 3550 section 5.1)."""
