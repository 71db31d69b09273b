"""What one answered sample shows of the things that are followed. Values."""

from dataclasses import dataclass

from streamer.values.event import Box


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing in it."""

    tracker_id: int
    label: str
    class_id: int
    score: float
    """Of this sample."""
    box: Box
    scores: tuple[float, ...]
    """Of its newest samples, this one last; 0 for one that missed it."""
    is_faint: bool = False
    """Seen below the stream's score: it goes on by it, and begins nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """One sample."""

    stream: str
    pts: float
    at: float
    """UTC, seconds since 1970, when its frame came."""
    width: int
    """Of the frame, in pixels."""
    height: int
    model: str
    version: int
    sights: tuple[Sight, ...]
