"""One encoded stream fanned out to any number of subscribers.

Every subscriber has a bounded buffer of its own: one that is slow loses packets up to the next keyframe and
nobody else notices. A relay of shared frames (aiortc's MediaRelay) would encode once a viewer and buffer without bound.
"""

from collections.abc import Callable

from streamer.values.buffer import Buffer
from streamer.values.clock import Clock
from streamer.values.packet import EncodedPacket
from streamer.view.bandwidth import Bandwidth, Ceiling, Sent

BUFFERED_PACKETS = 60
"""Two seconds at 30 frames a second; whoever is further behind starts again at a keyframe."""
KEYFRAME_INTERVAL = 1.0
"""Seconds between keyframes on request at least, whoever asks: a viewer with a bad line, or with a bad will, must not
cost all others their bitrate."""


class Subscription:
    """One taker of a fan-out's packets."""

    def __init__(self, size: int, request_keyframe: Callable[[], None], sent: Sent, clock: Clock) -> None:
        self._buffer: Buffer[EncodedPacket] = Buffer(size)
        self._size = size
        self._request_keyframe = request_keyframe
        self._sent = sent
        self._clock = clock
        self.bandwidth = Bandwidth()
        """What the taker's line takes."""
        self._waiting_for_key = True
        self._begun = False
        self._skipped = 0
        """Packets after a gap, up to the next keyframe."""

    @property
    def dropped(self) -> int:
        """Packets lost because this taker was too slow, from its first keyframe on."""
        return self._buffer.dropped + self._skipped

    def put(self, packet: EncodedPacket) -> None:
        """Offer a packet. A gap would break the decoder, so after one only a keyframe is taken."""
        if self._waiting_for_key and not packet.is_keyframe:
            self._skipped += self._begun
            return
        if len(self._buffer) >= self._size:
            self._buffer.clear()
            self._waiting_for_key = True
            self._request_keyframe()
            if not packet.is_keyframe:
                self._skipped += 1
                return
        self._waiting_for_key, self._begun = False, True
        self._buffer.put(packet)

    async def take(self) -> EncodedPacket:
        """Wait for the next packet."""
        return await self._buffer.take()

    def reported(self, rate: float) -> None:
        """The taker estimates that its line takes so many bits a second."""
        now = self._clock()
        self.bandwidth.reported(rate, self._sent.at(now), now)

    def lost(self, share: float) -> None:
        """The taker has lost this share of the packets since it last said so, 0 to 1."""
        now = self._clock()
        self.bandwidth.lost(share, self._sent.at(now), now)


class FanOut:
    """The packets of one stream in one codec."""

    def __init__(self, *, clock: Clock, buffered: int = BUFFERED_PACKETS) -> None:
        self._clock = clock
        self._buffered = buffered
        self._subscriptions: set[Subscription] = set()
        self._keyframe_wanted = False
        self._keyframe_at = -KEYFRAME_INTERVAL
        self._dropped_before = 0
        self._sent = Sent()
        self._ceiling = Ceiling()
        self.keyframes = 0
        """Keyframes published."""

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self) -> Subscription:
        """A new taker; the next picture will be a keyframe for it."""
        subscription = Subscription(self._buffered, self.request_keyframe, self._sent, self._clock)
        self._subscriptions.add(subscription)
        self.request_keyframe()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a taker; may be called twice."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._dropped_before += subscription.dropped

    @property
    def dropped(self) -> int:
        """Packets that takers were too slow for, those who left included."""
        return self._dropped_before + sum(subscription.dropped for subscription in self._subscriptions)

    def request_keyframe(self) -> None:
        """Ask for a keyframe: a viewer joined, lost packets or sent PLI/FIR (RFC 4585 section 6.3.1, RFC 5104)."""
        self._keyframe_wanted = True

    def keyframe_due(self) -> bool:
        """Whether the next picture must be a keyframe; throttled, so asking often does not help."""
        return self._keyframe_wanted and self._clock() - self._keyframe_at >= KEYFRAME_INTERVAL

    def ceiling(self, worth: float) -> float:
        """Bits a second that the next picture is to keep to: what the takers' lines take, of what it is worth."""
        now = self._clock()
        return self._ceiling.follow([each.bandwidth.at(now) for each in self._subscriptions], worth, now)

    def publish(self, packet: EncodedPacket) -> None:
        """Offer a packet to every taker."""
        if packet.is_keyframe:
            self.keyframes += 1
            self._keyframe_wanted = False
            self._keyframe_at = self._clock()
        self._sent.add(len(packet.data), self._clock())
        for subscription in tuple(self._subscriptions):
            subscription.put(packet)
