"""RTCP (RFC 3550 section 6): senders' reports and farewells read, a receiver's reports written."""

import struct
from dataclasses import dataclass

from streamer.rtp.packet import Malformed, Packet

SENDER, RECEIVER, DESCRIPTION, BYE = 200, 201, 202, 203
NTP_EPOCH = 2_208_988_800
"""Seconds from NTP's 1900 to Unix' 1970."""
CNAME = b"sightline"
"""Our name in reports. RFC 7022 wants it unique; nobody but the one sender ever sees it."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender says of its clocks and its sending (section 6.4.1)."""

    ssrc: int
    ntp: int
    """64 bits: the sender's wall clock, 32.32 fixed point seconds since 1900; 0 where it has none."""
    timestamp: int
    """32 bits: the same moment by the clock of its RTP packets."""
    packets: int
    octets: int

    @property
    def wall(self) -> float:
        """The sender's wall clock in Unix seconds; era 1 of NTP begins in 2036."""
        seconds = self.ntp / (1 << 32)
        return seconds - NTP_EPOCH + (1 << 32 if seconds < NTP_EPOCH else 0)


@dataclass(frozen=True, slots=True)
class Bye:
    """Sources that leave (section 6.6)."""

    ssrcs: tuple[int, ...]
    reason: str


def read_reports(data: bytes | bytearray | memoryview) -> list[SenderReport | Bye]:
    """Read a compound packet; kinds of RTCP that nobody here asks for are passed over.

    Raises:
        Malformed: not version 2, or a part is longer than the packet.
    """
    found: list[SenderReport | Bye] = []
    data, at = bytes(data), 0
    while at < len(data):
        if len(data) - at < 4:
            raise Malformed("an RTCP packet ends within a header")
        first, kind, words = struct.unpack_from("!BBH", data, at)
        if first >> 6 != 2:
            raise Malformed(f"version {first >> 6} of RTCP; there is only 2")
        body = data[at + 4 : at + 4 + 4 * words]
        if len(body) < 4 * words:
            raise Malformed("an RTCP packet is shorter than its parts")
        at += 4 + 4 * words
        if kind == SENDER:
            found.append(_sender_report(body))
        elif kind == BYE:
            found.append(_bye(body, first & 0x1F))
    return found


class Reception:
    """What a receiver has to report of one sender (section 6.4.1, appendix A.3 and A.8). Pure; time is an argument."""

    def __init__(self, clock_rate: int = 90_000) -> None:
        self._clock_rate = clock_rate
        self._ssrc: int | None = None
        self._begin(0)

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self.received = 0
        """Packets that came, copies among them."""
        self._expected_before = self._received_before = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._report: tuple[int, float] | None = None
        """The middle 32 bits of the newest sender report's NTP time, and its arrival."""

    def take(self, packet: Packet, now: float) -> None:
        """Count a packet, as it arrives."""
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._begin(packet.sequence)
        step = (packet.sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000
        self._highest += max(0, step)
        self.received += 1
        transit = now * self._clock_rate - packet.timestamp
        if self._transit is not None:
            moved = (transit - self._transit + (1 << 31)) % (1 << 32) - (1 << 31)
            self._jitter += (abs(moved) - self._jitter) / 16
        self._transit = transit

    def take_run(self, last: Packet, count: int, now: float) -> None:
        """Count packets that followed each other, of one picture and of one arrival, up to this one."""
        self.take(last, now)
        self.received += count - 1
        self._jitter *= (15 / 16) ** (count - 1)

    @property
    def lost(self) -> int:
        """Packets that never came, as the sender's numbers show (RFC 3550 appendix A.3); copies count against it."""
        return max(0, self.expected - self.received)

    @property
    def expected(self) -> int:
        """Packets that were sent, as their numbers tell."""
        return 0 if self._ssrc is None else self._highest - self._first + 1

    def take_report(self, report: SenderReport, now: float) -> None:
        """Remember a sender's report, which ours answers."""
        if report.ssrc == self._ssrc:
            self._report = report.ntp >> 16 & 0xFFFF_FFFF, now

    def write(self, own_ssrc: int, now: float) -> bytes:
        """A receiver report with one block, or none before anything came, and our name: a compound packet."""
        blocks = b"" if self._ssrc is None else self._block(self._ssrc, now)
        report = struct.pack("!BBHI", 0x80 | bool(blocks), RECEIVER, 1 + len(blocks) // 4, own_ssrc) + blocks
        item = bytes((1, len(CNAME))) + CNAME
        item += b"\0" * (4 - len(item) % 4)
        return report + struct.pack("!BBHI", 0x81, DESCRIPTION, 1 + len(item) // 4, own_ssrc) + item

    def _block(self, ssrc: int, now: float) -> bytes:
        expected = self.expected
        lost = max(-(1 << 23), min(expected - self.received, (1 << 23) - 1))
        lately = expected - self._expected_before
        lately_lost = lately - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, lately_lost * 256 // lately) if lately > 0 and lately_lost > 0 else 0
        middle, at = self._report or (0, now)
        return struct.pack(
            "!IIIIII",
            ssrc,
            fraction << 24 | lost & 0xFF_FFFF,
            self._highest & 0xFFFF_FFFF,
            min(int(self._jitter), 0xFFFF_FFFF),
            middle,
            min(int((now - at) * 65_536), 0xFFFF_FFFF),
        )


def _sender_report(body: bytes) -> SenderReport:
    if len(body) < 24:
        raise Malformed("a sender report ends before its counts")
    ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!IQIII", body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets)


def _bye(body: bytes, count: int) -> Bye:
    if len(body) < 4 * count:
        raise Malformed("a farewell names more sources than it has room for")
    said = body[4 * count :]
    reason = said[1 : 1 + said[0]].decode("utf-8", "replace") if said else ""
    return Bye(struct.unpack_from(f"!{count}I", body), reason)
