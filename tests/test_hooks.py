"""streamer.hooks: each private name of aiortc that is used has its effect, through aiortc's own code."""

from aiortc import RTCPeerConnection
from aiortc.codecs import CODECS
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)

from streamer.hooks import ask_again, ask_for_keyframe, on_keyframe_request, take_packets
from tests.peers.rtc import make_pc

SSRC = 4711


def video(pc: RTCPeerConnection) -> RTCPeerConnection:
    """Add a video to a peer connection."""
    pc.addTransceiver("video", direction="sendrecv")
    return pc


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


async def test_packets_are_taken_before_the_jitter_buffer() -> None:
    """A receiver hands every packet over as it comes, with its payload unwrapped, and keeps none to decode."""
    pc, taken = video(make_pc()), list[tuple[int, bytes]]()
    [receiver] = pc.getReceivers()
    take_packets(receiver, lambda packet, data: taken.append((packet.sequence_number, data)))
    vp8 = CODECS["video"][0]
    receiver._RTCRtpReceiver__codecs = {vp8.payloadType: vp8}  # type: ignore[attr-defined]
    for sequence in (5, 4, 9):
        assert vp8.payloadType is not None
        packet = RtpPacket(payload_type=vp8.payloadType, sequence_number=sequence, timestamp=3000 * sequence, ssrc=SSRC)
        packet.payload = b"\x10data"
        await receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    assert taken == [(5, b"data"), (4, b"data"), (9, b"data")]
    assert receiver._RTCRtpReceiver__decoder_queue.qsize() == 0  # type: ignore[attr-defined]
    await pc.close()


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
