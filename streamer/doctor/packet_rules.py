"""What is worth a word about how a camera's packets come: losses, times, and the password before them. Pure."""

from collections.abc import Iterator

from streamer.doctor.case import FEW, Case, Finding
from streamer.doctor.facts import lost_share
from streamer.source.rtsp.description import CLOCK_RATE

CLOCK = 2.0
"""Seconds a camera's clock may be off: what the network takes is in it."""
NOT_SET = 3 * 365 * 86400.0
"""Seconds behind, of a clock that counts from the camera's start or its making."""


def losses(case: Case) -> Iterator[Finding]:
    """What did not come, or came damaged."""
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


def times(case: Case) -> Iterator[Finding]:
    """What its times are worth."""
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


def clock(case: Case) -> Iterator[Finding]:
    """Whether its clock is right."""
    ahead = case.measured.clock_ahead_seconds
    if ahead is None or abs(ahead) <= CLOCK:
        return
    found = f"the camera's clock is {_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if ahead < -NOT_SET:
        found = "the camera's clock is not set"
    meaning = "Sightline counts from arrival and does not mind; times in the camera's pictures and recordings are off"
    yield Finding("clock", "advice", found, f"{meaning}. Give both the same time server (NTP)")


def pace(case: Case) -> Iterator[Finding]:
    """Whether the clock of its pictures is honest."""
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


def packets(case: Case) -> Iterator[Finding]:
    """Whether marker and numbers mean anything."""
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


def login(case: Case) -> Iterator[Finding]:
    """What the password goes in."""
    if case.traits.login == "Basic" and case.target.scheme == "rtsp":
        cure = "set the camera's RTSP log-in to digest, or use rtsps://"
        yield Finding("basic_login", "advice", "the password goes over the network as it is written (Basic)", cure)


def _span(seconds: float) -> str:
    """A length of time that a person reads at a glance."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
