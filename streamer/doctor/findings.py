"""What the numbers mean, in words. Pure. To add a finding: a word in `FindingKind`, a rule, and its line in `_RULES`.

A rule says nothing where nothing is wrong. Advice is what would make the stream better, and costs the exit code 3; a
note is what a person may want to know and need not change.
"""

from collections.abc import Callable, Iterator

from streamer.doctor import packet_rules as packets
from streamer.doctor import picture_rules as pictures
from streamer.doctor.case import Case, Finding
from streamer.doctor.measurements import Measurements
from streamer.doctor.observation import Observation
from streamer.source.target import Target


def judge(target: Target, seen: Observation, measured: Measurements, sample_fps: float = 5.0) -> tuple[Finding, ...]:
    """What is worth a word about a camera that sends video, advice first.

    Args:
        target: how it was asked.
        seen: what came.
        measured: the same in numbers.
        sample_fps: pictures a second that the model is to see.
    """
    if seen.kind is None or not measured.packets:
        return ()
    case = Case(target, seen, seen.kind, measured, sample_fps)
    found = [finding for rule in _RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda finding: finding.weight != "advice"))


_RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    pictures.keyframes, pictures.kind, pictures.start, packets.losses, packets.times, packets.pace, packets.packets,
    pictures.order, pictures.size, pictures.work, pictures.rhythm, packets.clock, packets.login, pictures.picture,
    pictures.codec,
)  # fmt: skip
"""In the order of what a person should look at first."""
