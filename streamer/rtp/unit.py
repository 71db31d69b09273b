"""One access unit while it is gathered: never more bytes than it may have."""

from dataclasses import dataclass, field

from streamer.rtp.packet import Packet
from streamer.rtp.payload import Entry, Payload


@dataclass(slots=True)
class Unit:
    """What has come of one picture so far."""

    timestamp: int
    received_at: float
    """Arrival of its first packet."""
    sound: bool
    """Whether it is whole as far as it has come: its beginning is here, and nothing is missing since."""
    whole_at: float = 0.0
    """Arrival of its newest packet."""
    data: bytearray = field(default_factory=bytearray)
    has_picture: bool = False
    parameter_sets: bool = False
    predicted: bool = False
    recovers_after: int = 0
    leads: bool | None = None
    """As its payloads say."""
    marked: bool = False
    """Whether its newest packet had the marker."""
    marks: int = 0
    packets: int = 0
    _entry: Entry = Entry.NONE

    @property
    def entry(self) -> Entry:
        """How well decoding can begin with it."""
        return Entry.NONE if self.predicted and self._entry is Entry.INTRA else self._entry

    @property
    def stands(self) -> bool:
        """Whether neither it nor what is shown after it needs what came before.

        Of recovery points that is said of those alone behind which nothing is to be waited for; the others are where
        an encoder begins to refresh its pictures strip by strip, and are made of what was before.
        """
        if self._entry is Entry.POINT:
            return not (self.recovers_after or self.predicted)
        return self._entry is Entry.KEY

    def add(self, packet: Packet, payload: Payload, at: float) -> None:
        """Take its next packet; what it adds to `data` is the caller's to bound."""
        self.data += payload.data
        self.whole_at = at
        self.packets += 1
        self.marked = packet.marker
        self.marks += packet.marker
        if payload.has_picture:
            self.has_picture = True
            self.predicted |= payload.predicted
            if payload.leads is not None:
                self.leads = payload.leads
        self.parameter_sets |= payload.parameter_sets
        if payload.entry > self._entry:
            self._entry, self.recovers_after = payload.entry, payload.recovers_after

    def go_on(self, data: bytes, packets: int, at: float) -> None:
        """Take as many packets at once that have nothing to say but these bytes."""
        self.data += data
        self.whole_at = at
        self.packets += packets

    def spoil(self) -> None:
        """Something of it is missing, or it is too large: nothing of it will be used."""
        self.sound = False
        self.data.clear()
