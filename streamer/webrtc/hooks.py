"""The private names of aiortc 1.16 that are used here, all of them.

tests/webrtc/test_hooks.py holds that each takes effect. aioice's are in datagram_filter.py. `pyproject.toml` keeps
aiortc at one minor version for the sake of these.
"""

import struct
from collections.abc import Callable
from typing import cast

import aiortc.rtp
from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.codecs import HEADER_EXTENSIONS
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    HeaderExtensions,
    HeaderExtensionsMap,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)

Take = Callable[[RtpPacket, bytes], None]
"""Takes a packet, and what it carries without the payload's descriptor."""

# Browsers that know many codecs number some of them below 64 (RFC 5761 section 4). aiortc takes those numbers for fixed
# ones, and answers with its own, which were never offered.
aiortc.rtp.DYNAMIC_PAYLOAD_TYPES = (*range(35, 64), *range(96, 128))  # type: ignore[assignment]

PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
"""A sender's wish how long a browser keeps pictures back, in units of 10 ms: 12 bits at least, 12 bits at most."""
AT_ONCE = b"\0\0\0"
HEADER_EXTENSIONS["video"].append(RTCRtpHeaderExtensionParameters(id=4, uri=PLAYOUT_DELAY))
SHORT_PROFILE = 0xBEDE
LAST_SHORT_ID = 14
"""Of header extensions that have a byte of head (RFC 8285 section 4.2); browsers number theirs from 1."""

MAX_ASKED = 64
"""Packets lost in a row that are asked for; more are no accident, and cost less as a keyframe."""


class _Intake:
    """Stands where a receiver has its jitter buffer: takes every packet, and has no picture for aiortc to decode."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """What RTCRtpReceiver calls once a packet; returns (whether to send a PLI, a whole picture)."""
        self._take(packet, cast(bytes, packet._data))  # type: ignore[attr-defined]  # noqa: SLF001
        return False, None


class _Gaps:
    """Stands where a receiver has its NACK generator, which counts through all numbers that a sender leaps over."""

    def __init__(self) -> None:
        self.missing: set[int] = set()
        """What the newest packet shows to be lost."""
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> bool:
        """What RTCRtpReceiver calls once a packet; returns whether to send a NACK."""
        number, newest = packet.sequence_number, self._newest
        step = 1 if newest is None else (number - newest) & 0xFFFF
        if step == 0 or step >= 0x8000:  # repeated, or late
            return False
        self._newest = number
        self.missing = {(number - back) & 0xFFFF for back in range(1, step)} if step <= MAX_ASKED else set()
        return bool(self.missing)


class _AtOnce(HeaderExtensionsMap):
    """Stands where a sender has its header extensions: adds to every packet the wish that pictures be shown at once."""

    def __init__(self) -> None:
        super().__init__()
        self._id = 0

    def configure(self, parameters: RTCRtpParameters) -> None:
        """Learn which numbers were agreed on."""
        super().configure(parameters)
        ids = [each.id for each in parameters.headerExtensions if each.uri == PLAYOUT_DELAY]
        self._id = next((number for number in ids if 0 < number <= LAST_SHORT_ID), 0)

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        """Profile and bytes of the extensions of a packet (RFC 8285 section 4.2)."""
        profile, packed = super().set(values)
        if not self._id or profile not in (0, SHORT_PROFILE):
            return profile, packed
        return SHORT_PROFILE, packed + bytes([self._id << 4 | len(AT_ONCE) - 1]) + AT_ONCE


def show_at_once(sender: RTCRtpSender) -> None:
    """Wish that whoever takes these packets shows each picture when it has it; set before the connection is made.

    A browser holds pictures back otherwise, by what it takes for the network's jitter, to show them evenly. Ours leave
    evenly, and their own hold is jitter enough.
    """
    setattr(sender, "_RTCRtpSender__rtp_header_extensions_map", _AtOnce())  # noqa: B010


def take_packets(receiver: RTCRtpReceiver, take: Take) -> None:
    """Have a receiver's packets instead of its pictures, retransmissions unwrapped; set before it is connected."""
    setattr(receiver, "_RTCRtpReceiver__jitter_buffer", _Intake(take))  # noqa: B010
    setattr(receiver, "_RTCRtpReceiver__nack_generator", _Gaps())  # noqa: B010


def on_keyframe_request(sender: RTCRtpSender, asked: Callable[[], None]) -> None:
    """Be told of PLI and FIR (RFC 4585 section 6.3.1, RFC 5104), which do not reach a track of ready packets."""
    setattr(sender, "_send_keyframe", asked)  # noqa: B010


def on_reception(sender: RTCRtpSender, takes: Callable[[float], None], lost: Callable[[float], None]) -> None:
    """Be told how a receiver fares.

    Args:
        sender: to it.
        takes: told of the bits a second that it can take, by its estimate (draft-alvestrand-rmcat-remb): 0 to 2^81.
        lost: told of the share of packets it lost since it last said so, 0 to 1 (RFC 3550 section 6.4.1).
    """
    take_report = sender._handle_rtcp_packet  # noqa: SLF001

    async def report(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            rate = _estimate(sender, packet.fci)
            if rate is not None:
                takes(rate)
            return  # aiortc would tell its own encoder, which has nothing to do, and trips over one that is cut off
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for each in packet.reports:
                if each.ssrc == sender._ssrc:  # noqa: SLF001
                    lost(each.fraction_lost / 256)
        await take_report(packet)

    setattr(sender, "_handle_rtcp_packet", report)  # noqa: B010


def _estimate(sender: RTCRtpSender, fci: bytes) -> float | None:
    """What a report says of a sender, if it is an estimate and of that one."""
    try:
        rate, sources = unpack_remb_fci(fci)
    except (ValueError, struct.error):  # it names more sources than stand in it
        return None
    return float(rate) if sender._ssrc in sources else None  # noqa: SLF001


def limit_retransmission(
    sender: RTCRtpSender, read: Callable[[list[int]], list[int]], pay: Callable[[int], bool]
) -> None:
    """Of packets reported lost and still kept, send again what `read` leaves, and of that what `pay` has bytes for."""
    take_report, send_again = sender._handle_rtcp_packet, sender._retransmit  # noqa: SLF001
    history: dict[int, RtpPacket] = getattr(sender, "_RTCRtpSender__rtp_history")  # noqa: B009

    async def report(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket):
            # aiortc counts on beyond 65535, where the numbers begin again.
            numbers = [number & 0xFFFF for number in packet.lost]
            kept = {each.sequence_number for each in history.values()}
            packet.lost = read([number for number in numbers if number in kept])
        await take_report(packet)

    async def again(number: int) -> None:
        packet = history.get(number % RTP_HISTORY_SIZE)
        if packet is not None and packet.sequence_number == number and pay(len(packet.payload)):
            await send_again(number)

    setattr(sender, "_handle_rtcp_packet", report)  # noqa: B010
    setattr(sender, "_retransmit", again)  # noqa: B010


def newest_timestamp(sender: RTCRtpSender) -> int:
    """The RTP timestamp of the newest packet that was sent; 0 before the first."""
    return cast(int, getattr(sender, "_RTCRtpSender__rtp_timestamp"))  # noqa: B009


async def ask_for_keyframe(receiver: RTCRtpReceiver, ssrc: int) -> None:
    """Send a PLI to the sender of `ssrc`."""
    await receiver._send_rtcp_pli(ssrc)  # noqa: SLF001


async def ask_again(receiver: RTCRtpReceiver, ssrc: int, missing: list[int]) -> None:
    """Send a NACK for sequence numbers of `ssrc` (RFC 4585 section 6.2.1)."""
    # Sorted as plain numbers: across their end aiortc would shift by less than nothing.
    await receiver._send_rtcp_nack(ssrc, sorted(missing))  # noqa: SLF001


def limit_reports(pc: RTCPeerConnection, takes: Callable[[int], bool]) -> None:
    """Have authentic RTCP read only where `takes` agrees to its length in bytes; set after the answer."""
    for transport in {receiver.transport for receiver in pc.getReceivers()}:
        _limit(transport, takes)


def _limit(transport: RTCDtlsTransport, takes: Callable[[int], bool]) -> None:
    take_reports = transport._handle_rtcp_data  # noqa: SLF001

    async def reports(data: bytes) -> None:
        if takes(len(data)):
            await take_reports(data)

    setattr(transport, "_handle_rtcp_data", reports)  # noqa: B010


def on_source(pc: RTCPeerConnection, told: Callable[[bytes], None]) -> None:
    """Be told the SSRC of everything that comes and is authentic, as libsrtp remembers each; set after the answer."""
    for transport in {receiver.transport for receiver in pc.getReceivers()}:
        _tell(transport, told)


def _tell(transport: RTCDtlsTransport, told: Callable[[bytes], None]) -> None:
    take_media, take_reports = transport._handle_rtp_data, transport._handle_rtcp_data  # noqa: SLF001

    async def media(data: bytes, arrival_time_ms: int) -> None:
        told(data[8:12])
        await take_media(data, arrival_time_ms)

    async def reports(data: bytes) -> None:
        told(data[4:8])
        await take_reports(data)

    setattr(transport, "_handle_rtp_data", media)  # noqa: B010
    setattr(transport, "_handle_rtcp_data", reports)  # noqa: B010


async def close_by_force(pc: RTCPeerConnection) -> None:
    """Free what a peer connection holds whose `close` did not come to its end: threads, tasks, sockets."""
    for receiver in pc.getReceivers():
        receiver._handle_disconnect()  # noqa: SLF001  ends its decoder's thread
    for transport in tuple(getattr(pc, "_RTCPeerConnection__dtlsTransports")):  # noqa: B009
        await transport.stop()
        await transport.transport.stop()
