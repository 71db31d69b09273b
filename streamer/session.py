"""One WHEP viewer: an offer becomes an answer, packets flow, and the end is noticed.

WHEP: draft-ietf-wish-whep. aiortc does ICE, DTLS and SRTP; the packets come ready encoded from a `Feed`, so a
viewer costs packetising and encryption only.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any, Protocol

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from streamer.errors import SessionError
from streamer.packet import TIME_BASE, EncodedPacket

log = logging.getLogger(__name__)

MAX_OFFER = 64 * 1024
"""Bytes. A browser's offer for one video is about 6 kB."""
MAX_CANDIDATES = 32
HANDSHAKE_TIMEOUT = 15.0
"""Seconds from offer to connected. aiortc alone would try for a minute, or for ever where no candidate comes."""
CLOSE_TIMEOUT = 3.0
"""Seconds aiortc gets to close; an error in one of its tasks can keep it waiting for ever."""
CONNECTED = "connected"


class Taker(Protocol):
    """Takes packets for one viewer."""

    @property
    def dropped(self) -> int:
        """Packets the viewer was too slow for."""

    async def take(self) -> EncodedPacket:
        """Wait for the next packet."""


class Feed(Protocol):
    """What a session needs of the stream it shows."""

    def subscribe(self) -> Taker:
        """A new taker, whose first packet will be a keyframe."""

    def unsubscribe(self, subscription: Any, /) -> None:
        """Forget a taker; may be called twice."""

    def request_keyframe(self) -> None:
        """Ask for a keyframe, soon."""


class PacketTrack(MediaStreamTrack):
    """A video track that hands out packets already encoded (RTCRtpSender packs an `av.Packet` as it is)."""

    kind = "video"

    def __init__(self, publisher: Feed) -> None:
        super().__init__()
        self._publisher = publisher
        self._subscription: Taker | None = None

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, with pts in RTP's clock."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._subscription is None:  # asked for the first time once the viewer is connected
            self._subscription = self._publisher.subscribe()
        encoded = await self._subscription.take()
        packet = av.Packet(encoded.data)
        packet.pts = packet.dts = encoded.pts
        packet.time_base = TIME_BASE
        return packet

    def stop(self) -> None:
        """End the track and leave the publisher."""
        super().stop()
        if self._subscription is not None:
            self._publisher.unsubscribe(self._subscription)


class Session:
    """One viewer's peer connection, from POST to DELETE or failure."""

    def __init__(self, stream: str, publisher: Feed, on_close: Callable[["Session"], None]) -> None:
        self.id = secrets.token_urlsafe(18)
        """Unguessable: whoever knows it may end the session."""
        self.stream = stream
        self._publisher = publisher
        self._on_close = on_close
        # No servers: None would mean Google's STUN, and seconds of waiting where there is no internet.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._track = PacketTrack(publisher)
        self._closed = False
        self._deadline: asyncio.Task[None] | None = None
        self._pc.on("connectionstatechange", self._state_changed)

    async def answer(self, offer: str) -> str:
        """The SDP answer, with every candidate in it.

        Raises:
            SessionError: the offer is malformed, too large, or has no video that can be sent.
        """
        _require_sane(offer)
        try:
            transceiver = self._pc.addTransceiver(self._track, direction="sendonly")
            capabilities = RTCRtpSender.getCapabilities("video").codecs
            # Before the remote description: afterwards the browser's own order, VP8 first, has been taken.
            transceiver.setCodecPreferences(
                [codec for codec in capabilities if codec.mimeType.lower() in ("video/h264", "video/rtx")]
            )
            # The one way to reach a packet track with PLI and FIR; held by a test, since it is aiortc's private name.
            setattr(transceiver.sender, "_send_keyframe", self._publisher.request_keyframe)  # noqa: B010
            # As DTLS server aiortc talks to RSA peers too (GStreamer); as client it offers ECDSA ciphers alone.
            munged = offer.replace("a=setup:actpass", "a=setup:active")
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp=munged, type="offer"))
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except SessionError:
            raise
        except Exception as error:  # aiortc meets a bad offer with whatever its parser trips over
            log.info("%s: an offer that cannot be answered: %s", self.stream, type(error).__name__)
            raise SessionError(400, "the SDP offer cannot be read or has no video this can send") from error
        self._deadline = asyncio.create_task(self._expire())
        return self._pc.localDescription.sdp

    async def close(self) -> None:
        """End the session; may be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._deadline is not None and self._deadline is not asyncio.current_task():
            self._deadline.cancel()
        self._track.stop()
        self._on_close(self)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._pc.close()
        except TimeoutError:
            log.warning("%s: a viewer's connection could not be closed within %.0f s", self.stream, CLOSE_TIMEOUT)

    async def _expire(self) -> None:
        await asyncio.sleep(HANDSHAKE_TIMEOUT)
        if self._pc.connectionState != CONNECTED:
            log.info("%s: a viewer did not connect within %.0f s", self.stream, HANDSHAKE_TIMEOUT)
            await self.close()

    async def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state == CONNECTED:
            self._publisher.request_keyframe()
        elif state in ("failed", "closed"):
            await self.close()


def _require_sane(offer: str) -> None:
    """Refuse what would cost more to parse than a viewer is worth."""
    if len(offer) > MAX_OFFER:
        raise SessionError(413, f"the SDP offer is larger than {MAX_OFFER // 1024} KiB")
    if offer.count("\na=candidate:") > MAX_CANDIDATES:
        raise SessionError(400, f"the SDP offer has more than {MAX_CANDIDATES} candidates")
    if not offer.startswith("v=0") or "\nm=video " not in offer:
        raise SessionError(400, "the body is not an SDP offer with a video section")
    if "H264/90000" not in offer:
        raise SessionError(406, "the viewer offers no H.264, the one codec sent here")
