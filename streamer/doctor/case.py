"""One camera's case, and a finding about it: what the rules of the doctor look at, and what they say."""

from dataclasses import dataclass
from typing import Literal

from streamer.doctor.measurements import Measurements
from streamer.doctor.observation import Kind, Observation
from streamer.source.rtsp.traits import Traits
from streamer.source.target import Target

FindingKind = Literal[
    "no_keyframe", "long_gop", "slow_start", "b_frames", "h265", "mjpeg", "lost", "damaged", "no_times", "stuck_times",
    "time_jumps", "clock", "large", "load", "few_pictures", "bitrate", "uneven", "interlaced", "pixel_aspect",
    "pixel_format", "no_contrast", "no_idr", "unmarked", "unnumbered", "nominal_clock", "basic_login",
]  # fmt: skip
Weight = Literal["advice", "note"]

FEW = 3
"""Packets that are too few to say anything about their times and rate."""


@dataclass(frozen=True)
class Finding:
    """One thing worth a word."""

    kind: FindingKind
    weight: Weight
    sentence: str
    """What was found, with its number."""
    advice: str = ""
    """What to do about it, or what it means; "" where there is nothing to add."""


@dataclass(frozen=True)
class Case:
    """What a rule may look at."""

    target: Target
    seen: Observation
    kind: Kind
    measured: Measurements
    sample_fps: float

    @property
    def traits(self) -> Traits:
        """What an RTSP camera told; of any other, nothing."""
        return self.seen.traits or Traits()


def share(of_one: float) -> str:
    """A share in per cent."""
    return f"{100 * of_one:.0f} %" if of_one >= 0.01 else "less than 1 %"
