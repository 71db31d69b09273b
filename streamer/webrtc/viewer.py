"""One WHEP viewer: an offer becomes an answer, packets flow, and the end is noticed.

WHEP: draft-ietf-wish-whep. aiortc does ICE, DTLS and SRTP; the packets come ready encoded from a `Feed`, so a
viewer costs packetising and encryption only.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import av
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError

from streamer.values.clock import Clock, monotonic
from streamer.values.errors import Refused
from streamer.values.packet import TIME_BASE, EncodedPacket
from streamer.values.receipts import Receipts
from streamer.webrtc.hooks import (
    limit_retransmission,
    newest_timestamp,
    on_keyframe_request,
    on_reception,
    show_at_once,
)
from streamer.webrtc.peer import Peer
from streamer.webrtc.retransmissions import Retransmissions
from streamer.webrtc.sdp import Offer, video_codecs
from streamer.webrtc.session import Session
from streamer.webrtc.traffic import Traffic

Codec = Literal["H264", "VP8"]
CODECS: tuple[Codec, ...] = ("H264", "VP8")
"""Best first: what most viewers take is encoded once for all of them, whatever order each would prefer."""
TIMESTAMPS = 1 << 32
"""RTP counts modulo this."""

OnSent = Callable[[int, float], None]
"""Told the pts of each packet as it leaves, and when that was, in monotonic seconds."""


class Taker(Protocol):
    """Takes packets for one viewer."""

    async def take(self) -> EncodedPacket:
        """Wait for the next packet."""

    def reported(self, rate: float) -> None:
        """The viewer estimates that his line takes so many bits a second."""

    def lost(self, share: float) -> None:
        """The viewer has lost this share of the packets since he last said so, 0 to 1."""


class Feed(Protocol):
    """What a session needs of the stream it shows, in one codec."""

    def subscribe(self) -> Taker:
        """A new taker, whose first packet will be a keyframe."""

    def unsubscribe(self, subscription: Any, /) -> None:
        """Forget a taker; may be called twice."""

    def request_keyframe(self) -> None:
        """Ask for a keyframe, soon."""


class PacketTrack(MediaStreamTrack):
    """A video track that hands out packets already encoded (RTCRtpSender packs an `av.Packet` as it is)."""

    kind = "video"

    def __init__(self, clock: Clock = monotonic, on_sent: OnSent = lambda pts, at: None) -> None:
        super().__init__()
        self.feed: Feed | None = None
        """Where packets come from; None until the codec is agreed on."""
        self.retransmissions = Retransmissions()
        self.receipts = Receipts(clock())
        """Of what was sent, by the low 32 bits of its pts."""
        self.sender: RTCRtpSender | None = None
        """Who sends it, once that is known."""
        self._clock, self._on_sent = clock, on_sent
        self._subscription: Taker | None = None
        self._last_pts: int | None = None
        self._origin: int | None = None
        """What the sender adds to a pts, at random; None until a picture was sent."""

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, with pts in RTP's clock."""
        if self.readyState != "live" or self.feed is None:
            raise MediaStreamError
        if self._subscription is None:  # asked for the first time once the viewer is connected
            self._subscription = self.feed.subscribe()
        if self._origin is None and self._last_pts is not None and self.sender is not None:
            # All of the packet before has been sent: its sender asks for the next one.
            self._origin = newest_timestamp(self.sender) - self._last_pts
        encoded = await self._subscription.take()
        now, self._last_pts = self._clock(), encoded.pts
        self.receipts.sent(encoded.pts % TIMESTAMPS, encoded.pts, now)
        self._on_sent(encoded.pts, now)
        self.retransmissions.earn(len(encoded.data))
        packet = av.Packet(encoded.data)
        packet.pts = packet.dts = encoded.pts
        packet.time_base = TIME_BASE
        return packet

    def identity(self, timestamp: int) -> int | None:
        """By what the receipts know the picture that was sent with this RTP timestamp; None: nothing was sent."""
        return None if self._origin is None else (timestamp - self._origin) % TIMESTAMPS

    def stop(self) -> None:
        """End the track and leave the feed."""
        super().stop()
        if self._subscription is not None and self.feed is not None:
            self.feed.unsubscribe(self._subscription)

    def reported(self, rate: float) -> None:
        """Pass on what the viewer estimates his line to take, in bits a second."""
        if self._subscription is not None:
            self._subscription.reported(rate)

    def lost(self, share: float) -> None:
        """Pass on the share of packets that the viewer has lost."""
        if self._subscription is not None:
            self._subscription.lost(share)

    def request_keyframe(self) -> None:
        """Pass on that the viewer needs a keyframe."""
        if self.feed is not None:
            self.feed.request_keyframe()


class Viewer(Session):
    """One viewer's peer connection, from POST to DELETE or failure."""

    def __init__(
        self,
        stream: str,
        feeds: Mapping[Codec, Feed],
        on_close: Callable[["Viewer"], None],
        *,
        clock: Clock,
        on_arrival: Callable[["Viewer"], None] = lambda _: None,
        on_sent: OnSent = lambda pts, at: None,
    ) -> None:
        """Begin a session.

        Args:
            stream: its name.
            feeds: the stream in each codec it can be sent in.
            on_close: told when the session has ended.
            clock: monotonic seconds.
            on_arrival: told when the viewer is connected.
            on_sent: told of each picture as it leaves.
        """
        self.stream = stream
        self._feeds = feeds
        self._on_close, self._on_arrival = on_close, on_arrival
        self._track = PacketTrack(clock, on_sent)
        self.arrived = False
        """Whether the viewer has ever been connected."""
        super().__init__(Peer(f"{stream}: a viewer", clock=clock, on_connected=self._connected, on_closed=self._closed))
        self._peer.on_report = self._track.retransmissions.begin_report

    @property
    def traffic(self) -> Traffic:
        """What was counted until now, and what was sent again."""
        again = self._track.retransmissions
        return super().traffic + Traffic(sent_again=again.sent, not_sent_again=again.refused)

    async def answer(self, offer: Offer, address: str = "") -> str:
        """The SDP answer, with every candidate in it, to an offer that came from `address`.

        Raises:
            Refused: the offer is malformed, or has no video that can be sent.
        """
        if offer.direction not in ("recvonly", "sendrecv"):
            raise Refused(422, f"the offer's video section is {offer.direction}; a viewer's is recvonly")
        transceiver = self._peer.pc.addTransceiver(self._track, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        # Before the remote description: afterwards the browser's own order, VP8 first, has been taken.
        transceiver.setCodecPreferences(
            [codec for name in (*CODECS, "rtx") for codec in known if codec.mimeType.lower() == f"video/{name.lower()}"]
        )
        self._track.sender = transceiver.sender
        on_keyframe_request(transceiver.sender, self._track.request_keyframe)
        on_reception(transceiver.sender, self._track.reported, self._track.lost)
        show_at_once(transceiver.sender)
        again = self._track.retransmissions
        limit_retransmission(transceiver.sender, again.read, again.pay)
        answer = await self._peer.answer(offer, address)
        agreed = next(iter(video_codecs(answer).values()), None)
        self._track.feed = next((feed for codec, feed in self._feeds.items() if codec == agreed), None)
        return answer

    @property
    def receipts(self) -> Receipts:
        """What he may say he has seen."""
        return self._track.receipts

    def identity(self, timestamp: int) -> int | None:
        """By what the receipts know the picture that came with this RTP timestamp; None: nothing was sent."""
        return self._track.identity(timestamp)

    def _connected(self) -> None:
        self.arrived = True
        self._track.request_keyframe()
        self._on_arrival(self)

    def _closed(self) -> None:
        self._track.stop()
        self._on_close(self)
