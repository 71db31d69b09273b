"""aiortc as the other end of a connection: a viewer or a publisher, without HTTP between."""

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription


def make_pc() -> RTCPeerConnection:
    """A peer connection that asks no server in the world."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def offer_to_watch(pc: RTCPeerConnection, *codecs: str) -> str:
    """The offer of a viewer that takes these codecs alone ("video/h264"), or all that aiortc knows."""
    transceiver = pc.addTransceiver("video", direction="recvonly")
    if codecs:
        known = RTCRtpReceiver.getCapabilities("video")
        assert known is not None
        transceiver.setCodecPreferences([codec for codec in known.codecs if codec.mimeType.lower() in codecs])
    await pc.setLocalDescription(await pc.createOffer())
    return str(pc.localDescription.sdp)


async def take_answer(pc: RTCPeerConnection, answer: str) -> None:
    """Connect to who answered."""
    await pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
