"""RTP that comes without a description: one source's packets as they come, for whoever puts pictures together of them.

It stands in for a session of RTSP. What it plays was recognised; what follows must be the same, and is looked at again
where another sender, or another source, goes on after a silence.
"""

from collections.abc import Callable, Iterator

from streamer.rtp.assembler import STRANGER_AFTER
from streamer.rtp.codecs import CODECS
from streamer.rtp.packet import Malformed, Packet, is_report, read_packet
from streamer.rtp.payload import Entry
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.traits import Traits
from streamer.source.target import Transport
from streamer.source.udp.form import Form, Look
from streamer.source.udp.port import Datagram
from streamer.source.udp.sender import Sender
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

QUICK_LOOK = 0.05
"""Seconds from one look at the clock to the next: somebody may wait for a datagram that is lost."""
BARE_KEYS = 3
"""Key pictures without parameter sets, after which there are none."""
MOST_LOOKED_AT = 500
"""Datagrams of a source that goes on, within which it must show what it is."""
SETS = {
    "H264": "SPS and PPS; x264 sends them with repeat-headers=1, FFmpeg with -bsf:v dump_extra, GStreamer's rtph264pay "
    "with config-interval=-1",
    "H265": "VPS, SPS and PPS; x265 sends them with repeat-headers=1, FFmpeg with -bsf:v dump_extra, GStreamer's "
    "rtph265pay with config-interval=-1",
}

Heard = tuple[bytes, float]
"""An RTP packet and its monotonic arrival; empty: nothing has come so far."""


class BareRtp:
    """One source, for as long as its port is open.

    Args:
        sender: who sends it.
        form: what was recognised.
        payload_type: of its packets.
        clock: monotonic seconds.
    """

    transport: Transport = "udp"

    def __init__(self, sender: Sender, form: Form, payload_type: int, clock: Clock) -> None:
        self._sender, self._form, self._clock = sender, form, clock
        self.track = Track("video", "RTP/AVP", form.codec, payload_type)
        """What it would say in a description."""
        self.tracks = (self.track,)
        self.on_report: Callable[[bytes, float], None] = lambda report, now: None
        """Takes RTCP, should it come to the same port."""
        self.report: Callable[[], bytes] | None = None
        """Nobody asks for it: where it would go is not said."""
        self._source: tuple[tuple[str, int], int] | None = None
        """Whose packets are played: the sender and its SSRC."""
        self._played_at = 0.0
        self._look: tuple[tuple[tuple[str, int], int], Look] | None = None
        """Who may go on instead."""
        self._read = CODECS[form.codec].depacketizer({})
        self._complete = form.codec not in SETS
        """Whether parameter sets have come, where they are needed."""
        self._bare_keys: set[int] = set()
        """The times of key pictures before any have."""

    @property
    def sound(self) -> None:
        """None: a description would have to tell it from the video."""

    @property
    def traits(self) -> Traits:
        """What is known of it without asking."""
        return Traits(tracks=self.tracks, played=self.track, transport=self.transport, is_bare=True)

    def runs(self) -> Iterator[tuple[list[bytes], float]]:
        """What `packets` gives, each by itself: each has an arrival of its own."""
        for data, at in self.packets():
            yield [data], at

    def packets(self) -> Iterator[Heard]:
        """RTP packets as they come, and an empty one now and then where none does; ends when it is told to.

        Raises:
            SourceError: kind "stalled"; "ended", somebody else goes on with something else; "codec", pictures without
                parameter sets.
        """
        for datagram in self._sender.early:
            yield from self._heard(datagram)
        self._sender.early.clear()
        while not self._sender.stopped:
            taken = self._sender.take(QUICK_LOOK)
            for datagram in taken:
                yield from self._heard(datagram)
            if not taken:
                yield b"", self._clock()

    def _heard(self, datagram: Datagram) -> Iterator[Heard]:
        """One datagram; none of it is RTP's, perhaps."""
        data = datagram.data
        if is_report(data):
            self.on_report(data, datagram.at)
            return
        try:
            packet = read_packet(data)
        except Malformed:
            return
        source = datagram.sender, packet.ssrc
        if source == self._source:
            if packet.payload_type == self.track.payload_type:
                self._played_at, self._look = datagram.at, None
                self._require_sets(packet)
            yield data, datagram.at
        elif self._source is None and packet.payload_type == self.track.payload_type:
            self._source, self._played_at = source, datagram.at
            self._require_sets(packet)
            yield data, datagram.at
        elif self._source is not None and datagram.at - self._played_at >= STRANGER_AFTER:
            yield from self._looked_at(source, datagram)

    def _looked_at(self, source: tuple[tuple[str, int], int], datagram: Datagram) -> Iterator[Heard]:
        """Another source that may go on: its packets are kept until it is understood."""
        if self._look is None or self._look[0] != source:
            self._look = source, Look()
        look = self._look[1]
        form = look.take(datagram.data, datagram.at)
        if form is None and look.count < MOST_LOOKED_AT:
            return
        if form != self._form:
            raise SourceError("ended", "another sender goes on, with something else")
        self._source, self._look = source, None
        for data, at in look.kept:
            self._played_at = at
            yield data, at

    def _require_sets(self, packet: Packet) -> None:
        """See whether what a decoder must know of the whole ever comes: there is no description that has it.

        Raises:
            SourceError: kind "codec".
        """
        if self._complete:
            return
        try:
            payload = self._read(packet.payload)
        except Malformed:
            return
        self._complete = payload.parameter_sets
        if payload.entry is Entry.KEY and not payload.parameter_sets:
            self._bare_keys.add(packet.timestamp)
        if len(self._bare_keys) >= BARE_KEYS:
            codec = self.track.codec
            sentence = f"the sender's RTP never says how its {codec} is to be decoded ({SETS[codec]})"
            raise SourceError("codec", sentence)
