"""streamer.webrtc.hooks: each private name of aiortc that is used has its effect, through aiortc's own code."""

import asyncio
import struct
import threading
from dataclasses import replace
from typing import Any

import av
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.codecs import CODECS
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
    unpack_header_extensions,
)

from streamer.values.packet import TIME_BASE
from streamer.webrtc.datagram_filter import datagram_filters
from streamer.webrtc.hooks import (
    MAX_ASKED,
    PLAYOUT_DELAY,
    ask_again,
    ask_for_keyframe,
    close_by_force,
    limit_reports,
    limit_retransmission,
    newest_timestamp,
    on_keyframe_request,
    on_reception,
    on_source,
    show_at_once,
    take_packets,
)
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.until import until
from tests.peers.whip_publisher import NumberedTrack

SSRC = 4711


def video(pc: RTCPeerConnection) -> RTCPeerConnection:
    """Add a video to a peer connection."""
    pc.addTransceiver("video", direction="sendrecv")
    return pc


def packets(receiver: RTCRtpReceiver, numbers: list[int]) -> list[RtpPacket]:
    """Packets of VP8, which the receiver expects from now on."""
    vp8 = CODECS["video"][0]
    assert vp8.payloadType is not None
    receiver._RTCRtpReceiver__codecs = {vp8.payloadType: vp8}  # type: ignore[attr-defined]
    made = []
    for number in numbers:
        made.append(RtpPacket(payload_type=vp8.payloadType, sequence_number=number, timestamp=3000 * number, ssrc=SSRC))
        made[-1].payload = b"\x10data"
    return made


async def test_keyframe_requests_are_told() -> None:
    """PLI and FIR, and nothing else, reach the callback."""
    pc, asked = video(make_pc()), list[None]()
    [sender] = pc.getSenders()
    on_keyframe_request(sender, lambda: asked.append(None))
    for kind in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=sender._ssrc))
    assert len(asked) == 2
    await sender._handle_rtcp_packet(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc))
    assert len(asked) == 2
    await pc.close()


async def test_how_a_receiver_fares_is_told() -> None:
    """Estimates and losses that are of this sender reach the callbacks; what is of another, or cut off, does not."""
    pc, rates, losses = video(make_pc()), list[float](), list[float]()
    [sender] = pc.getSenders()
    on_reception(sender, rates.append, losses.append)
    for bitrate, sources in ((300_000, [7, sender._ssrc]), (0, [sender._ssrc]), (2**63, [sender._ssrc]), (1, [8])):
        estimate = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=pack_remb_fci(bitrate, sources))
        await sender._handle_rtcp_packet(estimate)
    cut_off = b"REMB" + bytes([200, 0, 0, 9]) + sender._ssrc.to_bytes(4, "big")
    for fci in (cut_off, b"RE", b"", b"WHAT" + bytes(12)):
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
    assert rates == [pytest.approx(300_000, rel=1e-4), 0, pytest.approx(2**63, rel=1e-4)]
    reports = [
        RtcpReceiverInfo(ssrc, fraction_lost=64, packets_lost=9, highest_sequence=1, jitter=0, lsr=0, dlsr=0)
        for ssrc in (sender._ssrc, 8)
    ]
    await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=reports))
    assert losses == [0.25]
    await pc.close()


@pytest.mark.parametrize("offered", [True, False])
async def test_packets_say_that_pictures_are_to_be_shown_at_once(offered: bool) -> None:
    """To a viewer that knows the extension each packet carries it, under the viewer's number; to another none does."""
    viewer, pc = make_pc(), make_pc()
    sender = pc.addTransceiver(NumberedTrack(), direction="sendonly").sender
    show_at_once(sender)
    offer = await offer_to_watch(viewer, "video/vp8")
    line = f"a=extmap:4 {PLAYOUT_DELAY}\r\n"
    assert line in offer
    await pc.setRemoteDescription(
        RTCSessionDescription(offer.replace(line, line.replace("4", "11") if offered else ""), "offer")
    )
    await pc.setLocalDescription(await pc.createAnswer())
    assert (f"a=extmap:11 {PLAYOUT_DELAY}" in pc.localDescription.sdp) == offered
    [receiver] = viewer.getReceivers()
    taken: list[bytes] = []
    take = receiver.transport._handle_rtp_data

    async def note(data: bytes, arrival_time_ms: int) -> None:
        taken.append(data)
        await take(data, arrival_time_ms)

    receiver.transport._handle_rtp_data = note  # type: ignore[method-assign]
    await viewer.setRemoteDescription(RTCSessionDescription(pc.localDescription.sdp, "answer"))
    await until(lambda: len(taken) > 3)
    found = [dict(unpack_header_extensions(*extensions_of(data))).get(11) for data in taken]
    assert found == [b"\0\0\0" if offered else None] * len(taken)
    await viewer.close()
    await pc.close()


def extensions_of(data: bytes) -> tuple[int, bytes]:
    """Profile and bytes of a packet's header extensions (RFC 3550 section 5.3.1)."""
    at = 12 + 4 * (data[0] & 0x0F)
    profile, words = struct.unpack_from("!HH", data, at)
    return profile, data[at + 4 : at + 4 + 4 * words]


async def test_a_codec_keeps_the_number_it_was_offered_with() -> None:
    """The answer names an offered codec as the offer does, where that is below 64 too (RFC 5761 section 4)."""
    other, pc = make_pc(), make_pc()
    pc.addTransceiver("video", direction="sendonly")
    offer = (await offer_to_watch(other, "video/vp8")).replace("SAVPF 97", "SAVPF 39").replace(":97 ", ":39 ")
    await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    answer = (await pc.createAnswer()).sdp
    assert "a=rtpmap:39 VP8/90000" in answer
    assert "SAVPF 39\r\n" in answer
    await other.close()
    await pc.close()


async def test_packets_are_taken_before_the_jitter_buffer() -> None:
    """A receiver hands every packet over as it comes, with its payload unwrapped, and keeps none to decode."""
    pc, taken = video(make_pc()), list[tuple[int, bytes]]()
    [receiver] = pc.getReceivers()
    take_packets(receiver, lambda packet, data: taken.append((packet.sequence_number, data)))
    for packet in packets(receiver, [5, 4, 9]):
        await receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    assert taken == [(5, b"data"), (4, b"data"), (9, b"data")]
    assert receiver._RTCRtpReceiver__decoder_queue.qsize() == 0  # type: ignore[attr-defined]
    await pc.close()


@pytest.mark.parametrize(
    ("numbers", "asked"),
    [
        ([5, 6, 7], []),
        ([5, 8], [[6, 7]]),
        ([5, 8, 6, 8, 7, 9], [[6, 7]]),
        ([65534, 1], [[65535, 0]]),
        ([5, 6 + MAX_ASKED], []),
        ([5, 6 + MAX_ASKED, 8 + MAX_ASKED], [[7 + MAX_ASKED]]),
        ([5, 32_000, 64_000], []),
    ],
)
async def test_what_is_missing_is_asked_for_at_once(
    numbers: list[int], asked: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the packet that shows a gap its numbers are asked for, once; not those of a leap, which would be no use."""
    pc, nacks = video(make_pc()), list[list[int]]()
    [receiver] = pc.getReceivers()
    take_packets(receiver, lambda _, __: None)

    async def send(_: int, lost: list[int]) -> None:
        nacks.append(lost)

    monkeypatch.setattr(receiver, "_send_rtcp_nack", send)
    for packet in packets(receiver, numbers):
        await receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    assert [sorted(lost) for lost in nacks] == [sorted(lost) for lost in asked]
    await pc.close()


async def test_every_source_is_told() -> None:
    """The SSRC of media, of known and unknown payload types, and of reports is told, and they take their way on."""
    pc, told = video(make_pc()), list[bytes]()
    [receiver] = pc.getReceivers()
    on_source(pc, told.append)
    [packet] = packets(receiver, [1])
    packet.payload_type = 35
    await receiver.transport._handle_rtp_data(packet.serialize(), arrival_time_ms=0)
    await receiver.transport._handle_rtcp_data(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=2)))
    assert told == [SSRC.to_bytes(4, "big"), (1).to_bytes(4, "big")]
    await pc.close()


async def test_reports_are_read_where_they_may_be() -> None:
    """RTCP is read or dropped as a whole, by its length, before anything of it is."""
    pc, lengths, asked = video(make_pc()), list[int](), list[None]()
    [sender] = pc.getSenders()
    on_keyframe_request(sender, lambda: asked.append(None))

    def takes(length: int) -> bool:
        lengths.append(length)
        return length < 20

    limit_reports(pc, takes)
    sender.transport._rtp_router.register_sender(sender, sender._ssrc)
    pli = bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc))
    await sender.transport._handle_rtcp_data(pli)
    await sender.transport._handle_rtcp_data(2 * pli)
    assert (lengths, len(asked)) == ([12, 24], 1)
    await pc.close()


async def test_lost_packets_are_read_and_paid_for() -> None:
    """A NACK is reduced to packets that are kept, then as one says; each costs its payload before it is sent again."""
    pc, sent, seen, paid = video(make_pc()), list[int](), list[list[int]](), list[int]()
    [sender] = pc.getSenders()
    for number in (65535, 0, 7):
        packet = RtpPacket(sequence_number=number, ssrc=sender._ssrc, payload=bytes(number % 100))
        sender._RTCRtpSender__rtp_history[number % RTP_HISTORY_SIZE] = packet  # type: ignore[attr-defined]

    async def send(data: bytes) -> None:
        sent.append(RtpPacket.parse(data).sequence_number)

    def read(lost: list[int]) -> list[int]:
        seen.append(lost)
        return list(dict.fromkeys(lost))

    def pay(size: int) -> bool:
        paid.append(size)
        return size != 7

    sender.transport._send_rtp = send  # type: ignore[method-assign]
    limit_retransmission(sender, read, pay)
    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=[65535, 65536, 7, 7, 8, 135])
    await sender._handle_rtcp_packet(nack)
    assert (seen, paid, sent) == ([[65535, 0, 7, 7]], [35, 0, 7], [65535, 0])
    await pc.close()


class ReadyPackets(MediaStreamTrack):
    """A video of packets that need no encoder, one at a time."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.ready: asyncio.Queue[int] = asyncio.Queue()
        """The pts of what comes next."""

    async def recv(self) -> "av.Packet[Any]":
        """The next."""
        packet = av.Packet(b"\x10data")
        packet.pts, packet.time_base = await self.ready.get(), TIME_BASE
        return packet


async def test_the_newest_timestamp_is_that_on_the_wire() -> None:
    """What is sent carries an origin of the sender's besides its pts, and both can be read."""
    pc, track, sent = make_pc(), ReadyPackets(), list[RtpPacket]()
    sender = pc.addTrack(track)

    async def keep(data: bytes) -> None:
        sent.append(RtpPacket.parse(data))

    sender.transport._send_rtp = keep  # type: ignore[method-assign]
    vp8 = replace(CODECS["video"][0], payloadType=97)
    sending = asyncio.create_task(sender._run_rtp(vp8))
    assert newest_timestamp(sender) == 0
    for count, pts in enumerate((0, 4711), 1):
        track.ready.put_nowait(pts)
        await until(lambda: len(sent) == count and newest_timestamp(sender) == sent[-1].timestamp)  # noqa: B023
    assert (sent[1].timestamp - sent[0].timestamp) % (1 << 32) == 4711
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await pc.close()


async def test_a_connection_is_closed_by_force() -> None:
    """Sockets and threads of a peer connection are freed without its own close."""
    pc, other = make_pc(), make_pc()
    pc.addTransceiver("video", direction="recvonly")
    other.addTransceiver(NumberedTrack(), direction="sendonly")
    await other.setLocalDescription(await other.createOffer())
    await pc.setRemoteDescription(other.localDescription)
    await pc.setLocalDescription(await pc.createAnswer())
    await other.setRemoteDescription(pc.localDescription)
    await until(lambda: any(thread.name == "video-decoder" for thread in threading.enumerate()))
    await close_by_force(pc)
    assert datagram_filters(pc) == []
    await until(lambda: not any(thread.name == "video-decoder" for thread in threading.enumerate()))
    await other.close()


async def test_requests_are_sent() -> None:
    """A PLI names its sender, a NACK the packets that are missing, across the end of the numbers too."""
    pc, sent = video(make_pc()), list[bytes]()
    [receiver] = pc.getReceivers()

    async def send(data: bytes) -> None:
        sent.append(data)

    receiver.transport._send_rtp = send  # type: ignore[method-assign]
    await ask_for_keyframe(receiver, SSRC)
    await ask_again(receiver, SSRC, [65535, 0, 30])
    [pli], [nack] = (RtcpPacket.parse(data) for data in sent)
    assert isinstance(pli, RtcpPsfbPacket)
    assert (pli.fmt, pli.media_ssrc) == (RTCP_PSFB_PLI, SSRC)
    assert isinstance(nack, RtcpRtpfbPacket)
    assert (nack.fmt, nack.media_ssrc, nack.lost) == (RTCP_RTPFB_NACK, SSRC, [0, 30, 65535])
    await pc.close()
