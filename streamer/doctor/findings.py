"""What the numbers mean, in words. Pure. To add a finding: a word in `FindingKind`, a function, a line in `_RULES`.

A rule says nothing where nothing is wrong. Advice is what would make the stream better, and costs the exit code 3; a
note is what a person may want to know and need not change.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from streamer.doctor.facts import lost_share
from streamer.doctor.measurements import Measurements
from streamer.doctor.observation import Kind, Observation
from streamer.source.rtsp.description import CLOCK_RATE
from streamer.source.rtsp.traits import Traits
from streamer.source.target import Target

FindingKind = Literal[
    "no_keyframe", "long_gop", "slow_start", "b_frames", "h265", "mjpeg", "lost", "damaged", "no_times", "stuck_times",
    "time_jumps", "clock", "large", "load", "few_pictures", "bitrate", "uneven", "interlaced", "pixel_aspect",
    "pixel_format", "no_contrast", "no_idr", "unmarked", "unnumbered", "nominal_clock", "basic_login",
]  # fmt: skip
Weight = Literal["advice", "note"]

LONG_GOP = 4.0
"""Seconds from keyframe to keyframe that a viewer of a stream that has just come back notices."""
SLOW_START = 4.0
CLOCK = 2.0
"""Seconds a camera's clock may be off: what the network takes is in it."""
LARGE = 1920 * 1088
"""Pixels: some cameras send full HD with the rows that fill its last macroblocks."""
SUB_STREAM = 1280 * 720
"""Pixels that are plenty: models take 320 to 1024 a side."""
HIGH_LOAD = 0.5
"""Share of a core for one camera's decoding."""
HIGH_BITRATE = 16e6
UNEVEN = 1.0
FEW = 3
"""Packets that are too few to say anything about their times and rate."""
NOT_SET = 3 * 365 * 86400.0
"""Seconds behind, of a clock that counts from the camera's start or its making."""
BLANK = 2.0
"""Standard deviation of 0..255 below which a picture shows nothing."""
USUAL_FORMATS = ("yuv420p", "yuvj420p", "nv12", None)


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


CURE = "set the keyframe (I-frame) interval to one or two seconds; switch off H.264+, H.265+, Zipstream and the like"


def _keyframes(case: Case) -> Iterator[Finding]:
    measured, gop = case.measured, case.measured.gop_seconds or 0.0
    least = "at least " if measured.gop_is_open else ""
    if not measured.keyframes:
        found = f"no keyframe came in the {_watched(case):.1f} s watched, so there was no picture"
        effect = "each start shows nothing until one comes"
        if case.seen.pictures:
            found = f"no keyframe came in the {_watched(case):.1f} s watched, so there was no whole picture"
            effect = "it refreshes its pictures bit by bit, or its keyframes are far apart: each start takes seconds"
        yield Finding("no_keyframe", "advice", found, f"{effect}; {CURE}, and intra refresh")
    elif gop > LONG_GOP and not case.kind.bursts:  # what comes by segments, or was recorded, begins with one
        longest = f"{gop:.0f} s and more" if measured.gop_is_open else f"up to {gop:.0f} s"
        effect = f"when the stream starts or loses something, the next good picture takes {longest}"
        yield Finding("long_gop", "advice", f"keyframes are {least}{gop:.1f} s apart", f"{effect}; {CURE}")


def _kind(case: Case) -> Iterator[Finding]:
    if case.traits.keyframes[:1] == ("intra",):
        found = "keyframes come without a word that they are: intra pictures that are no IDR"
        effect = "each start, and each loss, takes 2.5 s longer, after which such pictures are believed"
        yield Finding("no_idr", "advice", found, f"{effect}; have the encoder send IDR pictures, with a closed GOP")


def _start(case: Case) -> Iterator[Finding]:
    first, opened = case.measured.first_picture_seconds, case.measured.open_seconds or 0.0
    if first is None or first <= SLOW_START or case.target.waits:  # then it is the camera that comes late
        return
    if case.traits.keyframes[:1] == ("intra",):
        return  # that has been said
    if first - opened <= first / 2:
        cause, cure = "until the camera had said what it sends", "close other viewers of the camera, or restart it"
    elif (case.measured.gop_seconds or 0.0) <= LONG_GOP:  # else that has been said
        cause, cure = "waiting for a keyframe", CURE
    else:
        return
    yield Finding("slow_start", "advice", f"the first picture took {first:.1f} s, most of it {cause}", cure)


def _order(case: Case) -> Iterator[Finding]:
    delay = case.measured.reorder_seconds
    if case.kind.bursts:
        return  # it is later than that anyway
    if case.seen.b_pictures or (delay > 0 and case.kind.codec in ("h264", "hevc")):
        held = f" by up to {1000 * delay:.0f} ms" if delay else ""
        cure = "switch B-frames off, or choose the Baseline profile: everything live comes that much later"
        yield Finding("b_frames", "advice", f"B-frames hold pictures back{held}", cure)


def _codec(case: Case) -> Iterator[Finding]:
    load, bits = case.measured.load, case.measured.bits_per_second
    if case.kind.codec == "hevc":
        cost = "" if load is None else f"; decoding alone takes {share(load)} of one core"
        meaning = f"viewers get H.264 or VP8 all the same: each picture is decoded, drawn on and encoded here{cost}"
        yield Finding("h265", "note", "H.265, which few browsers play", f"{meaning}. H.264 is cheaper to decode")
    if case.kind.codec == "mjpeg":
        rate = "" if bits is None else f" at {bits / 1e6:.1f} Mbit/s"
        meaning = "each picture is sent whole: H.264 takes a tenth of the network for the same"
        yield Finding("mjpeg", "note", f"MJPEG{rate}", meaning)


def _losses(case: Case) -> Iterator[Finding]:
    seen = case.seen
    if seen.lost:
        damaged = seen.damaged + seen.undecodable
        packets = max(seen.lost, case.traits.packets)
        lost = f"{seen.lost} of {packets} packets were lost ({lost_share(seen.lost, packets)})"
        found = f"{lost} in {case.measured.watched_seconds:.1f} s, {damaged} pictures damaged"
        cure = "a lower bitrate helps, or fewer viewers of the camera: it drops what it cannot send"
        if case.target.transport == "udp":
            cure = "use TCP: leave out transport: udp; a lower bitrate or a cable helps too"
        yield Finding("lost", "advice", found, cure)
    elif seen.damaged + seen.undecodable > 1:
        found = f"{seen.damaged + seen.undecodable} of {seen.undecodable + seen.pictures} pictures came damaged"
        cure = "something on the way loses data, or the camera does: lower its bitrate, renew its firmware"
        yield Finding("damaged", "advice", found, cure)


def _times(case: Case) -> Iterator[Finding]:
    measured = case.measured
    meaning = "a picture's time is its arrival, with the network's unevenness in it"
    if not case.kind.clocked:
        yield Finding("no_times", "note", "this kind of URL carries no times", meaning)
    elif measured.packets < FEW:
        return
    elif measured.timeless > measured.packets / 2:
        found = f"{measured.timeless} of {measured.packets} packets carry no time"
        yield Finding("no_times", "advice", found, f"{meaning}; renew the camera's firmware")
    elif measured.stuck > measured.packets / 2:
        cure = f"{meaning}; restart the camera, and renew its firmware"
        yield Finding("stuck_times", "advice", "the camera's times stand still", cure)
    elif measured.jumps:
        often = "once" if measured.jumps == 1 else f"{measured.jumps} times"
        found = f"the camera's times jumped {often} by more than a second"
        cure = "an encoder that starts anew does that, or a clock that is set by hand: give it a time server (NTP)"
        yield Finding("time_jumps", "advice", found, cure)


def _clock(case: Case) -> Iterator[Finding]:
    ahead = case.measured.clock_ahead_seconds
    if ahead is None or abs(ahead) <= CLOCK:
        return
    found = f"the camera's clock is {_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if ahead < -NOT_SET:
        found = "the camera's clock is not set"
    meaning = "Sightline counts from arrival and does not mind; times in the camera's pictures and recordings are off"
    yield Finding("clock", "advice", found, f"{meaning}. Give both the same time server (NTP)")


def _pace(case: Case) -> Iterator[Finding]:
    pace, fps = case.traits.clock_pace, case.measured.fps
    if pace == 1.0:
        return
    found = f"the clock of the camera's pictures counts one second in {pace:.2f}"
    said = CLOCK_RATE if case.traits.played is None else case.traits.played.clock_rate
    if 0.9 < pace / (said / 1000) < 1.1:
        found = f"the clock of the camera's pictures counts milliseconds, where {said} ticks a second are said"
    elif fps is not None:
        found = f"the camera's times are those of {fps * pace:.1f} pictures a second, and {fps:.1f} come"
    meaning = "Sightline maps them once it has noticed, and recordings of the camera run too fast or too slow"
    cure = "set a frame rate that it reaches, at night too (exposure time), or renew its firmware"
    yield Finding("nominal_clock", "advice", found, f"{meaning}; {cure}")


def _packets(case: Case) -> Iterator[Finding]:
    traits, fps = case.traits, case.measured.fps
    if traits.markers in ("never", "always"):
        found = f"the camera marks {'no packet' if traits.markers == 'never' else 'every packet'} as its picture's last"
        late = f", {1000 / fps:.0f} ms later" if fps else ""
        meaning = f"a picture is known to be whole only when the next one comes{late}"
        cure = "renew the camera's firmware; with more pictures a second it is less"
        yield Finding("unmarked", "advice", found, f"{meaning}; {cure}")
    if not traits.numbered:
        meaning = (
            "packets are taken as they come, and what the camera leaves out is not noticed; newer firmware may help"
        )
        yield Finding("unnumbered", "note", "the camera's packets are numbered without sense", meaning)


def _login(case: Case) -> Iterator[Finding]:
    if case.traits.login == "Basic" and case.target.scheme == "rtsp":
        cure = "set the camera's RTSP log-in to digest, or use rtsps://"
        yield Finding("basic_login", "advice", "the password goes over the network as it is written (Basic)", cure)


def _size(case: Case) -> Iterator[Finding]:
    width, height = case.measured.width, case.measured.height
    if width and height and width * height > LARGE:
        found = f"{width} × {height} is far more than a model sees, and more than most viewers are shown"
        cure = f"a sub-stream of 1280 × 720 takes {share(SUB_STREAM / (width * height))} of the work on each picture"
        yield Finding("large", "advice", found, cure)


def _work(case: Case) -> Iterator[Finding]:
    load, bits = case.measured.load, case.measured.bits_per_second
    if load is not None and load > HIGH_LOAD:
        cure = "choose a sub-stream, fewer pictures a second, or H.264"
        yield Finding("load", "advice", f"decoding takes {share(load)} of one core of this machine", cure)
    if bits is not None and bits > HIGH_BITRATE and not case.kind.recorded:
        cure = "a lower bitrate is easier on network and decoder, and no model sees the difference"
        yield Finding("bitrate", "advice", f"the stream takes {bits / 1e6:.0f} Mbit/s", cure)


def _rhythm(case: Case) -> Iterator[Finding]:
    fps, late = case.measured.fps, case.measured.late_seconds
    if fps is not None and fps < 0.9 * case.sample_fps and case.measured.packets >= FEW:
        found = f"{fps:.1f} pictures a second, where the model is to see {case.sample_fps:g}"
        yield Finding("few_pictures", "advice", found, "raise the camera's frame rate, or lower sample_fps")
    if late is not None and late > UNEVEN:
        cure = "the network or the camera is overloaded: a cable instead of Wi-Fi, a lower bitrate"
        yield Finding("uneven", "advice", f"pictures come unevenly, up to {late:.1f} s late", cure)


def _picture(case: Case) -> Iterator[Finding]:
    kind, contrast = case.kind, case.seen.contrast
    if case.seen.interlaced:
        cure = "set the camera or encoder to progressive"
        yield Finding("interlaced", "advice", "interlaced video: what moves has combs", cure)
    if abs(kind.pixel_aspect - 1) > 0.02:
        meaning = "they are shown as if they were; choose a size of the sensor's own proportions"
        yield Finding("pixel_aspect", "note", f"pixels are not square ({kind.pixel_aspect:.2f} : 1)", meaning)
    if kind.pixel_format not in USUAL_FORMATS and kind.codec in ("h264", "hevc"):
        meaning = "each picture is converted to 8 bits and 4:2:0, which takes time and gains nothing"
        yield Finding("pixel_format", "note", f"pixels are {kind.pixel_format}", meaning)
    if contrast is not None and contrast < BLANK:
        cause = "a cap on the lens, night without infrared, or an encoder without a signal"
        yield Finding("no_contrast", "note", "the picture shows one single shade", cause)


_RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _keyframes, _kind, _start, _losses, _times, _pace, _packets, _order, _size, _work, _rhythm, _clock, _login,
    _picture, _codec,
)  # fmt: skip
"""In the order of what a person should look at first."""


def _watched(case: Case) -> float:
    """Seconds, with those in which nothing came that a decoder could begin with."""
    opened, ended = case.seen.opened_at, case.seen.ended_at
    return case.measured.watched_seconds if opened is None or ended is None else ended - opened


def share(of_one: float) -> str:
    """A share in per cent."""
    return f"{100 * of_one:.0f} %" if of_one >= 0.01 else "less than 1 %"


def _span(seconds: float) -> str:
    """A length of time that a person reads at a glance."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
