"""What is found of recordings when somebody asks. Values; times are UTC, seconds since 1970."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Video without a gap worth showing: some segments, one after the other."""

    began_at: float
    ended_at: float
    """Of the one that is being written: when its last fragment has been shown, as far as the index knows."""
    has_event: bool
    """All of it lies around events that are recorded; where that changes, another span begins."""


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """What is recorded of a stream on one day, of the time zone that was asked for."""

    day: str
    """2026-11-29."""
    seconds: float
    """Of video that begins on it."""
    bytes: int
    events: int
    """That began on it, of this stream."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one class in a step of a timeline."""

    at: float
    """Where the step begins."""
    label: str
    samples: int
    """That found it."""
    best: float
    """Its best score, 0..1."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was let go."""

    segments: int
    bytes: int
