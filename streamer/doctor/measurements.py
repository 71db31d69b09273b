"""Numbers from what came. Pure.

Where a camera gives times, distances are its own; else they are those of arrival. What had piled up while the camera
was opened comes at once and says nothing about the network, so unevenness and clocks are judged after that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from streamer.doctor.observation import Arrival, Observation
from streamer.source.protocol import SOCKET_TIMEOUT

SETTLED = 0.5
"""Seconds after the opening from which on packets come as they are sent."""
JUMP = 1.0
"""Seconds by which a packet's time may go back, or come before its turn, until it counts as a jump."""
PILED_UP = 10.0
"""Seconds by which it may do the latter while the camera is being opened."""


@dataclass(frozen=True)
class Measurements:
    """What a camera sends, in numbers. None: not known."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bits_per_second: float | None = None
    gop_seconds: float | None = None
    """From one keyframe to the next, the longest that was seen; of one that did not end meanwhile, what was seen of
    it."""
    gop_is_open: bool = False
    """Whether the longest did not end meanwhile: it is at least that long."""
    keyframes: int = 0
    packets: int = 0
    watched_seconds: float = 0.0
    open_seconds: float | None = None
    """Until the camera had said what it sends."""
    first_picture_seconds: float | None = None
    """From the beginning to the first decoded picture."""
    decode_milliseconds: float | None = None
    """Of processor time, for one picture on this machine."""
    load: float | None = None
    """Share of one core that decoding takes."""
    reorder_seconds: float = 0.0
    """By how much pictures are sent before others that are shown earlier."""
    late_seconds: float | None = None
    """By how much the latest packets but one in twenty come later than the promptest. None: not known."""
    jumps: int = 0
    """How often the camera's time went on otherwise than ours."""
    timeless: int = 0
    """Packets without a time."""
    stuck: int = 0
    """Packets with the time of the one before."""
    silent_seconds: float = 0.0
    """From the last packet to the end."""
    clock_ahead_seconds: float | None = None


def measure(seen: Observation) -> Measurements:
    """The numbers of one observation."""
    arrivals = seen.arrivals if _honest(seen) else [replace(arrival, time=None) for arrival in seen.arrivals]
    width, height = seen.size or (None, None)
    opened = None if seen.opened_at is None else seen.opened_at - seen.began_at
    first = None if seen.first_picture_at is None else seen.first_picture_at - seen.began_at
    if not arrivals:
        return Measurements(width, height, open_seconds=opened)
    bursts = seen.kind is not None and seen.kind.bursts
    places, jumps = _places(arrivals, bursts)
    span = max(places) - min(places)
    fps = (len(set(places)) - 1) / span if span > 0 else None
    gop, is_open = _gop(arrivals, places)
    cost = seen.decode_seconds / seen.pictures if seen.pictures else None
    ahead = [arrival.ahead for arrival in arrivals if arrival.ahead is not None and _is_settled(arrival, arrivals)]
    return Measurements(
        width=width,
        height=height,
        fps=fps,
        bits_per_second=8 * sum(arrival.size for arrival in arrivals[:-1]) / span if span > 0 else None,
        gop_seconds=gop,
        gop_is_open=is_open,
        keyframes=sum(arrival.is_keyframe for arrival in arrivals),
        packets=len(arrivals),
        watched_seconds=span,
        open_seconds=opened,
        first_picture_seconds=first,
        decode_milliseconds=None if cost is None else 1000 * cost,
        load=None if cost is None or fps is None else cost * fps,
        reorder_seconds=_reorder(arrivals),
        late_seconds=None if bursts else _lateness(arrivals, places),
        jumps=jumps,
        timeless=sum(arrival.time is None for arrival in seen.arrivals),
        stuck=sum(_same(before, after) for before, after in pairwise(seen.arrivals)),
        silent_seconds=0.0 if bursts else _silence(arrivals, places, seen.ended_at or arrivals[-1].at),
        clock_ahead_seconds=max(ahead, default=None),
    )


def _honest(seen: Observation) -> bool:
    """Whether the camera's times pass as ours do; where they had to be mapped, they stepped as that was noticed."""
    return seen.traits is None or seen.traits.clock_pace == 1.0


def _is_settled(arrival: Arrival, arrivals: Sequence[Arrival]) -> bool:
    """Whether it came as it was sent, and had not waited for us to open the camera."""
    return arrival.at > arrivals[0].at + SETTLED


def _places(arrivals: Sequence[Arrival], bursts: bool) -> tuple[list[float], int]:
    """Where each packet lies in time, in seconds, and how often the camera's time jumped.

    By the camera's times, with what a jump of them skipped or repeated taken out; by ours where it gives none, or most
    packets the same.
    """
    times = {arrival.time for arrival in arrivals if arrival.time is not None}
    if len(times) < len(arrivals) / 2:
        return [arrival.at for arrival in arrivals], 0
    places: list[float] = []
    shift, jumps, promptest = 0.0, 0, float("inf")
    before: Arrival | None = None
    for arrival in arrivals:
        if arrival.time is None:
            places.append(places[-1] if places else min(times))
            continue
        if before is not None and before.time is not None:
            own, ours = arrival.time - before.time, arrival.at - before.at
            known = promptest < float("inf")
            early = promptest - (arrival.at - arrival.time - shift) if known else own - ours
            if own < -JUMP or (not bursts and early > (JUMP if known else PILED_UP)):
                shift, jumps = shift + ours - own, jumps + 1
        if _is_settled(arrival, arrivals):
            promptest = min(promptest, arrival.at - arrival.time - shift)
        places.append(arrival.time + shift)
        before = arrival
    return places, jumps


def _gop(arrivals: Sequence[Arrival], places: Sequence[float]) -> tuple[float | None, bool]:
    """(seconds, whether they are a lower bound) of the longest distance of keyframes."""
    marks = [place for arrival, place in zip(arrivals, places, strict=True) if arrival.is_keyframe]
    begin, end = min(places), max(places)
    closed = max((after - before for before, after in pairwise(marks)), default=0.0)
    unended = max(end - marks[-1], marks[0] - begin) if marks else end - begin
    # A picture and a half of slack: a keyframe that was about to come is none that is missing.
    if len(marks) > 1 and unended <= closed + 1.5 * (end - begin) / len(arrivals):
        return closed, False
    return (unended, True) if unended > 0 else (None, False)


def _reorder(arrivals: Sequence[Arrival]) -> float:
    """How long before its turn a picture is sent, at the most; longer than a second is a jump, not an order."""
    most, latest = 0.0, float("-inf")
    for arrival in arrivals:
        if arrival.time is not None:
            behind = latest - arrival.time
            most = max(most, behind) if behind < JUMP else most
            latest = max(latest, arrival.time) if behind < JUMP else arrival.time
    return most


def _lags(arrivals: Sequence[Arrival], places: Sequence[float]) -> list[float]:
    """How long after its place in time each packet came, of those that had not waited for the opening."""
    timed = ((arrival, place) for arrival, place in zip(arrivals, places, strict=True) if arrival.time is not None)
    return [arrival.at - place for arrival, place in timed if _is_settled(arrival, arrivals)]


def _lateness(arrivals: Sequence[Arrival], places: Sequence[float]) -> float | None:
    lags = sorted(_lags(arrivals, places))
    return lags[len(lags) * 19 // 20] - lags[0] if len(lags) >= 20 else None


def _silence(arrivals: Sequence[Arrival], places: Sequence[float], ended_at: float) -> float:
    """Seconds since anything came. FFmpeg keeps the last packet before a silence until its first timeout."""
    lag = arrivals[-1].at - places[-1]
    held = lag - min(_lags(arrivals, places), default=lag)
    return max(0.0, ended_at - arrivals[-1].at) + min(held, SOCKET_TIMEOUT)


def _same(before: Arrival, after: Arrival) -> bool:
    return before.time is not None and before.time == after.time
