"""Packets in order become access units; those that can be decoded go out as pictures. Pure.

A unit ends at its marker where the sender's is believed (`marker.py`), else where the timestamp changes. None goes out
before one to begin with (`recovery.py`), nor what leads that one (`leading.py`).
"""

from streamer.rtp.leading import Leading
from streamer.rtp.marker import Marker
from streamer.rtp.packet import Packet
from streamer.rtp.payload import Entry, Payload
from streamer.rtp.picture import Picture
from streamer.rtp.recovery import Recovery
from streamer.rtp.unit import Unit

MAX_HEAD = 64 << 10
"""Bytes of parameter sets and messages that may wait for their picture when its timestamp is another."""


class Gathering:
    """Of one sender's packets; `Assembler` has the arguments."""

    def __init__(
        self,
        *,
        clock_rate: int,
        trusts_marker: bool,
        max_bytes: int,
        refresh_after: float | None,
        parameter_sets: bytes,
        ending: bytes,
    ) -> None:
        self.too_large = 0
        """Pictures dropped because they were larger than allowed."""
        self.led = 0
        """Pictures dropped because they lead one with which decoding began."""
        self.recovery, self.marker = Recovery(refresh_after), Marker(believed=trusts_marker)
        self.unit: Unit | None = None
        """What is being gathered."""
        self._leading = Leading(clock_rate)
        self._clock_rate, self._max_bytes = clock_rate, max_bytes
        self._sets, self._ending = parameter_sets, ending
        self._after_gap = True
        """Whether what came before the next packet is unknown."""
        self._ended_by_marker: int | None = None
        """The timestamp of the unit before this one, if its marker ended it."""
        self._ticks: int | None = None
        """The newest timestamp, counted on past 32 bits."""

    def add(self, packet: Packet, payload: Payload, at: float, pictures: list[Picture]) -> None:
        """Take the next packet in order; `pictures` gets those that are whole now."""
        if not payload.data and (self.unit is None or packet.timestamp != self.unit.timestamp or not packet.marker):
            return  # padding between pictures, with which browsers probe the bandwidth
        unit = self._unit_of(packet, payload, at, pictures)
        if len(unit.data) + len(payload.data) > self._max_bytes:
            self.too_large += unit.sound
            unit.spoil()
            self.recovery.lose()
        if not unit.sound:
            return
        unit.add(packet, payload, at)
        if packet.marker and unit.has_picture and self.marker.ends():
            self._ended_by_marker = unit.timestamp
            self._finish(unit, pictures)

    def lose(self) -> None:
        """What would come next is missing, or may be."""
        self._after_gap = True
        if self.unit is not None:
            self.unit.spoil()

    def reset(self) -> None:
        """Another sender begins: forget all but the counts."""
        self.unit = self._ticks = self._ended_by_marker = None
        self._after_gap = True
        self.recovery.forget()

    @property
    def going_on(self) -> Unit | None:
        """The unit that a packet of the same time would only make longer; None: there is more to look at."""
        unit = self.unit
        return unit if unit is not None and unit.sound and unit.has_picture and not unit.marked else None

    @property
    def is_of_use(self) -> bool:
        """Whether what is being gathered will come out, as far as it has come."""
        unit = self.unit
        if unit is None or not unit.sound:
            return False
        return unit.parameter_sets or unit.entry >= self.recovery.accepts or not self.recovery.wanted

    def begins(self, payload: Payload) -> bool:
        """Whether a packet is the first of a picture with which decoding may begin, as far as it shows."""
        return payload.opens and (payload.parameter_sets or payload.entry >= max(self.recovery.accepts, Entry.INTRA))

    def may_begin(self, packet: Packet, payload: Payload) -> bool:
        """The same of one whose time is not that of what is being gathered."""
        return self.begins(payload) and (self.unit is None or self.unit.timestamp != packet.timestamp)

    def _unit_of(self, packet: Packet, payload: Payload, at: float, pictures: list[Picture]) -> Unit:
        """The unit to which a packet belongs: that being gathered, or a new one."""
        unit = self.unit
        if unit is not None and packet.timestamp == unit.timestamp:
            if not (unit.marked and unit.has_picture):
                return unit
            if not payload.opens:
                self.marker.went_on()
                return unit
            self._finish(unit, pictures)  # another picture of the same time
        elif unit is not None and unit.has_picture:
            if unit.sound:
                self.marker.ended_by_time(unit)
            self._finish(unit, pictures)
        elif unit is not None and unit.sound and not self._after_gap and len(unit.data) <= MAX_HEAD:
            unit.timestamp, unit.received_at = packet.timestamp, at  # parameter sets with a time of their own
            return unit
        split = packet.timestamp == self._ended_by_marker and payload.has_picture and not payload.opens
        if split and not self._after_gap:
            self.marker.went_on()
            self.recovery.lose()
        self.unit = Unit(packet.timestamp, at, sound=payload.opens or not (self._after_gap or split))
        self._after_gap, self._ended_by_marker = False, None
        return self.unit

    def _finish(self, unit: Unit, pictures: list[Picture]) -> None:
        """Let a unit go that is at its end."""
        self.unit = None
        recovery, begins = self.recovery, self.recovery.wanted
        if not begins and self._leading.possible and unit.sound and self._leading.has(unit):
            self.led += 1
            return
        if not unit.sound or not recovery.admits(unit.entry, unit.recovers_after, unit.received_at):
            return
        if begins:
            self._leading.begin(unit)
        pts, is_key = self._seconds(unit.timestamp), begins or unit.entry >= max(recovery.accepts, Entry.INTRA)
        data = bytes(unit.data) if not (self._sets and is_key) else self._sets + unit.data
        if is_key and unit.parameter_sets:
            self._sets = b""  # in front of the first of the sender's own too, which may be without some
        if not data.endswith(self._ending):
            data += self._ending
        is_right = recovery.is_right(unit.received_at)
        pictures.append(Picture(data, pts, is_key, unit.received_at, unit.whole_at, is_right, unit.entry, unit.stands))

    def _seconds(self, timestamp: int) -> float:
        """A timestamp in seconds, counted on past its 32 bits."""
        if self._ticks is None:
            self._ticks = timestamp
        self._ticks += (timestamp - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)
        return self._ticks / self._clock_rate
