"""What one sender's datagrams carry, as far as they show it. Pure.

RTP is known by headers that go with each other (version 2, one SSRC, numbers that run), and its codec by payloads none
of which is anything else; MPEG-TS by its bytes of synchronization; a stream of NAL units by its parameter sets.
"""

import re
from collections import deque
from dataclasses import dataclass

from streamer.rtp.likeness import PACKET, is_h264, is_h264_unit, is_h265, is_h265_unit, is_transport_stream
from streamer.rtp.packet import Malformed, Packet, is_report, read_packet
from streamer.source.rtsp.description import STATIC

RUN = 6
"""Packets of RTP in a row whose headers go with each other, after which they are believed."""
FEW = 2
"""The same where no more have come in the time there is: of a camera of one picture a second."""
NEAR = 100
"""Sequence numbers by which two packets may part (MAX_MISORDER of RFC 3550 appendix A.1)."""
MOST_RUNS = 8
"""Sources of RTP of one sender that are looked at."""
SYNCS = 5
"""Bytes of synchronization in a row that are MPEG-TS: FFmpeg's probe wants as many."""
STRIDES = (PACKET, 192, 204)
"""Bytes from one to the next: with a time in front, or with parity behind, too."""
KEPT = 512 << 10
"""Bytes of datagrams that are kept to be played once they are understood; the oldest go first."""
OVERHEAD = 200
"""Bytes that each costs beside its own."""
TRANSPORT_STREAM = "MP2T"
_RTP_CODECS = ("H264", "H265", "JPEG")
ALLOWED = "MPEG-TS, RTP with H.264, H.265, JPEG or MPEG-TS in it, and H.264 or H.265 as a stream of bytes"
_UNIT = re.compile(rb"\x00\x00\x01(..)", re.DOTALL)
_SETS = {
    "H264": re.compile(rb"[\x27\x47\x67][\x42\x4d\x58\x64\x6e\x7a\xf4\x2c]", re.DOTALL),
    "H265": re.compile(rb"[\x40\x42]\x01", re.DOTALL),
}
"""How an SPS of H.264 with its profile begins (clause A.2), and a VPS or an SPS of H.265."""
UNITS = 4
"""NAL units in a row that are H.264 or H.265, one of them a parameter set: a picture to begin with has as many."""
MANY = 20
"""NAL units in a row after which they are no chance."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is played."""

    codec: str
    """As SDP names it: "H264", "H265", "JPEG", "MP2T"."""
    payload_type: int | None = None
    """Of RTP; None: a stream of bytes, or MPEG-TS, whatever it is wrapped in."""


class _Run:
    """Packets of one source of RTP, as long as their numbers run."""

    def __init__(self) -> None:
        self.count = 0
        self._newest = 0
        self._likely: set[str] = set()

    def take(self, packet: Packet) -> None:
        step = (packet.sequence - self._newest + 0x8000 & 0xFFFF) - 0x8000
        if not self.count or abs(step) > NEAR:
            self.count, self._likely = 0, {"H264", "H265"}
        elif step <= 0:
            return
        self.count, self._newest = self.count + 1, packet.sequence
        if packet.payload:  # else it is padding, or opens a way through a firewall
            self._likely -= {"H264"} if not is_h264(packet.payload) else set()
            self._likely -= {"H265"} if not is_h265(packet.payload) else set()

    def codec(self, payload_type: int) -> str | None:
        """What is in it; None: that does not show."""
        if payload_type in STATIC:
            return STATIC[payload_type]
        return next(iter(self._likely)) if len(self._likely) == 1 else None


class Look:
    """One sender looked at."""

    def __init__(self) -> None:
        self.count = 0
        """Datagrams so far."""
        self.kept: deque[tuple[bytes, float]] = deque()
        """Those that are to be played, with their arrival."""
        self._kept_bytes = 0
        self._first = b""
        self._runs: dict[tuple[int, int], _Run] = {}
        self._window = b""
        """The newest bytes, in which MPEG-TS is looked for."""
        self._units = {"H264": 0, "H265": 0}
        """NAL units found behind start codes, with nothing else between them."""
        self._sets: set[str] = set()

    def take(self, data: bytes, at: float) -> Form | None:
        """Look at a datagram; gives what it all is, once that is certain."""
        self.count += 1
        self._first = self._first or data[:64]
        self._keep(data, at)
        packet = _packet(data)
        if packet is not None and not is_report(data):
            if is_transport_stream(packet.payload):
                return Form(TRANSPORT_STREAM)
            self._note_packet(packet)
        if self._is_transport_stream(data):
            return Form(TRANSPORT_STREAM)
        self._note_units(data)
        return self._of_rtp(RUN) or self._of_units()

    def guess(self) -> Form | None:
        """What it most likely is, where no more came."""
        return self._of_rtp(FEW)

    def unfinished(self) -> str | None:
        """What it would be, had it said how it is to be decoded; None: nothing that is known."""
        if _is_mavlink(self._first):
            return None
        return next((codec for codec, count in self._units.items() if count >= MANY), None)

    def named(self) -> str:
        """What it is instead, as the end of "the datagrams are"."""
        runs = [(run.count, kind, run) for (_, kind), run in self._runs.items() if run.count >= FEW]
        if runs:
            _, kind, _ = max(runs, key=lambda each: each[0])
            codec = STATIC.get(kind)
            return f"RTP of payload type {kind}, {codec or 'in which neither H.264 nor H.265 is recognised'}"
        if _is_srt(self._first):
            return "SRT, for which the URL is srt://… with `listen: true`"
        if _is_mavlink(self._first):
            return "MAVLink, a flight controller's telemetry"
        return f"of no kind that is known here (they begin with {self._first[:8].hex(' ')})"

    def _keep(self, data: bytes, at: float) -> None:
        self.kept.append((data, at))
        self._kept_bytes += len(data) + OVERHEAD
        while self._kept_bytes > KEPT:
            self._kept_bytes -= len(self.kept.popleft()[0]) + OVERHEAD

    def _note_packet(self, packet: Packet) -> None:
        source = packet.ssrc, packet.payload_type
        if source not in self._runs:
            while len(self._runs) >= MOST_RUNS:
                del self._runs[next(iter(self._runs))]
            self._runs[source] = _Run()
        self._runs[source].take(packet)

    def _of_rtp(self, count: int) -> Form | None:
        for (_, kind), run in self._runs.items():
            if run.count >= count and (codec := run.codec(kind)) in _RTP_CODECS:
                return Form(codec, kind)
        return None

    def _of_units(self) -> Form | None:
        return next((Form(codec) for codec in _SETS if codec in self._sets and self._units[codec] >= UNITS), None)

    def _is_transport_stream(self, data: bytes) -> bool:
        self._window = (self._window + data)[-max(len(data) + 4, SYNCS * max(STRIDES)) :]
        window, mark = self._window, b"\x47" * SYNCS
        return any(
            window[at] == 0x47 and window[at : at + SYNCS * stride : stride] == mark
            for stride in STRIDES
            for at in range(min(stride, len(window)))
        )

    def _note_units(self, data: bytes) -> None:
        # Four bytes of the window before this datagram: a start code may be cut in two.
        for head in _UNIT.findall(self._window[-len(data) - 4 :]):
            for codec, is_unit in (("H264", is_h264_unit), ("H265", is_h265_unit)):
                if not is_unit(head):
                    self._units[codec] = 0
                    self._sets.discard(codec)
                    continue
                self._units[codec] += 1
                if _SETS[codec].match(head):
                    self._sets.add(codec)


def rtp_payload(data: bytes) -> bytes:
    """A datagram of MPEG-TS without the RTP around it, where there is some."""
    packet = _packet(data)
    return packet.payload if packet is not None and is_transport_stream(packet.payload) else data


def _packet(data: bytes) -> Packet | None:
    if data[0] >> 6 != 2:
        return None
    try:
        return read_packet(data)
    except Malformed:
        return None


def _is_srt(data: bytes) -> bool:
    """A handshake (draft-sharabayko-srt section 3.2.1)."""
    return len(data) >= 64 and data[:4] == b"\x80\0\0\0"


def _is_mavlink(data: bytes) -> bool:
    """Versions 1 and 2, by their first byte and a length that fits (mavlink.io, "Packet Serialization")."""
    return len(data) >= 8 and data[0] in (0xFD, 0xFE)
