"""RTP packets of one sender become whole pictures, in order, at once: the newest wins. Pure; time is an argument.

    packets ─► in order, a lost one waited for ─► units, ended by marker or timestamp ─► those that can be decoded

aiortc's own jitter buffer (1.16) waits for the next picture's first packet before it lets one go, as FFmpeg's parser
does, and a packet that never comes holds it until 512 others have piled up, 3.4 s at 1.5 Mbit/s. This one goes by the
marker bit, waits `patience` for a lost packet, and then goes on at the next picture that needs no other.
"""

from dataclasses import dataclass

from streamer.rtp.marker import Marker, MarkerHabit
from streamer.rtp.numbering import Numbering
from streamer.rtp.packet import Packet
from streamer.rtp.payload import Entry, Payload
from streamer.rtp.recovery import Recovery
from streamer.rtp.unit import Unit

PATIENCE = 0.25
"""Seconds a lost packet may take to be sent again (RFC 4585): two round trips across a continent."""
CAPACITY = 1024
"""Packets that may wait for one that is missing."""
MAX_BYTES = 16 << 20
"""Bytes of a picture, and of all packets that wait."""
MAX_HEAD = 64 << 10
"""Bytes of parameter sets and messages that may wait for their picture when its timestamp is another."""
STRANGER_AFTER = 1.0
"""Seconds of silence after which another SSRC is taken for the same camera: before, it is another layer of it."""
MAX_LEAP = 3000
"""Sequence numbers a sender may leap; beyond it has started anew (MAX_DROPOUT of RFC 3550 appendix A.1)."""
MAX_MISORDER = 100
"""Sequence numbers by which a packet may be late; beyond, several in a row are a sender's that has started anew."""
RESTARTED = 4
"""How many in a row. Fewer could be an old burst's packets, sent again."""
CLOCK_RATE = 90_000


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture, whole: an access unit, its delimiter, messages and parameter sets included."""

    data: bytes
    pts: float
    """Seconds of the sender's clock, counted on past its 32 bits."""
    is_keyframe: bool
    """Whether decoding may begin with it."""
    received_at: float
    """Monotonic arrival of its first packet."""
    whole_at: float
    """Monotonic arrival of its last packet."""
    is_whole: bool = True
    """False for what is decoded from pictures that never came, until a sender's refresh has passed over all of it."""
    entry: Entry = Entry.NONE
    """How well decoding can begin with it."""


class Assembler:
    """Puts one sender's pictures together."""

    def __init__(
        self,
        *,
        clock_rate: int = CLOCK_RATE,
        patience: float = PATIENCE,
        trusts_marker: bool = True,
        max_bytes: int = MAX_BYTES,
        refresh_after: float | None = None,
        parameter_sets: bytes = b"",
        ending: bytes = b"",
    ) -> None:
        """Nothing has come yet.

        Args:
            clock_rate: ticks a second of the timestamps.
            patience: seconds for which a missing packet is waited for; 0 where none can be late (TCP).
            trusts_marker: whether even the first picture ends at its marker; else it is held until the next begins, to
                see whether it does (`marker.py`).
            max_bytes: a picture beyond it is dropped and counted in `too_large`, the memory never taken.
            refresh_after: seconds after which an I picture will do to begin with, and any picture after twice as many
                (`recovery.py`); None where key pictures can be asked for.
            parameter_sets: from the SDP, Annex B: put before pictures to begin with
                and once before a picture that has its own.
            ending: what each picture ends with, should its sender have left it out.
        """
        self.lost = 0
        """Times packets were given up for lost."""
        self.lost_packets = 0
        """Packets that were."""
        self.too_large = 0
        """Pictures dropped because they were larger than allowed."""
        self._clock_rate, self._patience, self._max_bytes = clock_rate, patience, max_bytes
        self._sets, self._ending = parameter_sets, ending
        self._recovery, self._marker = Recovery(refresh_after), Marker(believed=trusts_marker)
        self._pieces: dict[int, tuple[Packet, Payload, float]] = {}
        """What waits behind a missing packet, with its arrival, by sequence number counted on past 16 bits."""
        self._waiting_bytes = 0
        self._next: int | None = None
        """The number that would be in order, or None before the first."""
        self._newest, self._newest_at = 0, 0.0
        self._late: tuple[int, int] = (0, 0)
        """The newest late packet's number, and how many have been late in a row."""
        self._ssrc: int | None = None
        self._numbering = Numbering()
        self._gap_since: float | None = None
        self._unit: Unit | None = None
        self._after_gap = True
        """Whether what came before the next packet in order is unknown."""
        self._ended_by_marker: int | None = None
        """The timestamp of the unit before this one, if its marker ended it."""
        self._ticks: int | None = None
        """The newest timestamp, counted on past 32 bits."""

    @property
    def wants_keyframe(self) -> bool:
        """Whether nothing can come out before a picture to begin with."""
        return self._recovery.wanted

    @property
    def marker_habit(self) -> MarkerHabit:
        """When this sender sets the marker."""
        return self._marker.habit

    @property
    def numbered(self) -> bool:
        """Whether sequence numbers are believed; else packets are taken as they come, and no loss can be told (TCP)."""
        return self._numbering.believed

    @property
    def gathering(self) -> bool:
        """Whether a picture is on its way, with nothing of it missing so far; a keyframe where one is wanted."""
        return self._unit is not None and self._gap_since is None and self._is_of_use(self._unit)

    def put(self, packet: Packet, payload: Payload, now: float) -> list[Picture]:
        """Take a packet and what was read from its payload; returns the pictures that are whole now."""
        if packet.ssrc != self._ssrc:
            if self._ssrc is not None and now - self._newest_at < STRANGER_AFTER:
                return []
            self.reset()
            self._ssrc, self._numbering = packet.ssrc, Numbering()
        number = self._number(packet.sequence) if self._patience > 0 else self._number_in_order(packet)
        if number is None:
            return []
        self._newest, self._newest_at = max(number, self._newest), now
        pictures: list[Picture] = []
        if number != self._next:
            self._wait(number, packet, payload, now, pictures)
            return pictures
        self._next = number + 1
        self._add(packet, payload, now, pictures)
        if self._pieces:
            self._catch_up(now, pictures)
        return pictures

    def tick(self, now: float) -> list[Picture]:
        """Look at the clock; returns what can come out once a lost packet is given up."""
        pictures: list[Picture] = []
        if self._gap_since is not None and now - self._gap_since >= self._patience:
            self._give_up(now, pictures)
        return pictures

    def missing(self) -> list[int]:
        """The sequence numbers being waited for, at most as many as fit one NACK."""
        unit = self._unit
        if self._next is None or self._gap_since is None:
            return []
        if self.wants_keyframe and (unit is None or not self._is_of_use(unit)):
            return []
        gaps = (number for number in range(self._next, self._newest) if number not in self._pieces)
        return [number & 0xFFFF for number, _ in zip(gaps, range(64), strict=False)]

    def reset(self) -> None:
        """Forget everything but the counts: start again at a keyframe."""
        self._pieces.clear()
        self._waiting_bytes = 0
        self._next = self._gap_since = self._unit = self._ticks = self._ended_by_marker = None
        self._late, self._after_gap = (0, 0), True
        self._recovery.forget()

    # ---- in order

    def _number(self, sequence: int) -> int | None:
        """A sequence number counted on past its 16 bits; None for a packet that is too late, or came before."""
        if self._next is not None:
            number = self._counted_on(sequence)
            if number >= self._next and number - self._newest <= MAX_LEAP:
                self._late = (0, 0)
                return number
            behind = self._newest - number
            if 0 <= behind <= MAX_LEAP and not self._restarted(number, behind):
                return None
            self.reset()
        self._next = self._newest = sequence + (1 << 16)
        return self._next

    def _number_in_order(self, packet: Packet) -> int | None:
        """The same where none can be late: one that is not newer is a loss, or a sender's that counts otherwise."""
        relation = self._numbering.take(packet)
        if relation == "repeat":
            return None
        if self._next is not None and not self.numbered:
            return self._next
        number = self._number(packet.sequence)
        if number is not None:
            return number
        self.lost += 1
        self._recovery.lose()
        self._after_gap = True
        if self._unit is not None:
            self._unit.spoil()
        if relation != "newer":
            return None
        self._next = self._newest = self._counted_on(packet.sequence)
        return self._next

    def _counted_on(self, sequence: int) -> int:
        return self._newest + (sequence - self._newest + (1 << 15)) % (1 << 16) - (1 << 15)

    def _restarted(self, number: int, behind: int) -> bool:
        """Whether late packets follow each other as a sender's do that counts anew."""
        if behind <= MAX_MISORDER and self._patience > 0:
            return False
        before, count = self._late
        self._late = number, count + 1 if number == before + 1 else 1
        return self._late[1] >= RESTARTED

    def _wait(self, number: int, packet: Packet, payload: Payload, now: float, pictures: list[Picture]) -> None:
        """Keep a packet that came before its turn."""
        if number in self._pieces:
            return
        self._pieces[number] = packet, payload, now
        self._waiting_bytes += len(payload.data)
        if self._gap_since is None:
            self._gap_since = now
        if self._patience <= 0:
            self._give_up(now, pictures)
        elif self.wants_keyframe and payload.parameter_sets and self._begins(payload) and self._is_new(packet):
            self._leap(number, now, pictures)
        if len(self._pieces) > CAPACITY or self._waiting_bytes > self._max_bytes:
            self._give_up(now, pictures)
            if len(self._pieces) > CAPACITY // 2 or self._waiting_bytes > self._max_bytes // 2:
                self._leap(self._newest + 1, now, pictures)

    def _catch_up(self, now: float, pictures: list[Picture]) -> None:
        """Take what waited, as far as it is in order."""
        while self._next is not None and (piece := self._pieces.pop(self._next, None)) is not None:
            self._next += 1
            self._waiting_bytes -= len(piece[1].data)
            self._add(*piece, pictures)
        self._gap_since = now if self._pieces else None  # another gap has its own patience

    def _give_up(self, now: float, pictures: list[Picture]) -> None:
        """Stop waiting: go on at the next picture to begin with, which may be here already."""
        self.lost += 1
        self._recovery.lose()
        begins = (number for number, (_, payload, _) in self._pieces.items() if self._begins(payload))
        useless = self._recovery.accepts > Entry.NONE
        self._leap(min(begins, default=self._newest + 1 if useless else min(self._pieces)), now, pictures)

    def _leap(self, number: int, now: float, pictures: list[Picture]) -> None:
        """Go on at a number, whatever is missing before it."""
        skipped = [at for at in self._pieces if at < number]
        for at in skipped:
            self._waiting_bytes -= len(self._pieces.pop(at)[1].data)
        if self._next is not None:
            self.lost_packets += number - self._next - len(skipped)
        self._next, self._after_gap = number, True
        if self._unit is not None:
            self._unit.spoil()
        self._catch_up(now, pictures)

    def _begins(self, payload: Payload) -> bool:
        """Whether a packet is the first of a picture with which decoding may begin, as far as it shows."""
        return payload.opens and (payload.parameter_sets or payload.entry >= max(self._recovery.accepts, Entry.INTRA))

    def _is_new(self, packet: Packet) -> bool:
        return self._unit is None or self._unit.timestamp != packet.timestamp

    def _is_of_use(self, unit: Unit) -> bool:
        """Whether a unit will come out, as far as it has come."""
        starts = unit.parameter_sets or unit.entry >= self._recovery.accepts
        return unit.sound and (starts or not self.wants_keyframe)

    # ---- units

    def _add(self, packet: Packet, payload: Payload, at: float, pictures: list[Picture]) -> None:
        """Take the next packet in order."""
        if not payload.data and (self._unit is None or packet.timestamp != self._unit.timestamp or not packet.marker):
            return  # padding between pictures, with which browsers probe the bandwidth
        unit = self._unit_of(packet, payload, at, pictures)
        if len(unit.data) + len(payload.data) > self._max_bytes:
            self.too_large += unit.sound
            unit.spoil()
            self._recovery.lose()
        if not unit.sound:
            return
        unit.add(packet, payload, at)
        if packet.marker and unit.has_picture and self._marker.ends():
            self._ended_by_marker = unit.timestamp
            self._finish(unit, pictures)

    def _unit_of(self, packet: Packet, payload: Payload, at: float, pictures: list[Picture]) -> Unit:
        """The unit to which a packet belongs: that being gathered, or a new one."""
        unit = self._unit
        if unit is not None and packet.timestamp == unit.timestamp:
            if not (unit.marked and unit.has_picture):
                return unit
            if not payload.opens:
                self._marker.went_on()
                return unit
            self._finish(unit, pictures)  # another picture of the same time
        elif unit is not None and unit.has_picture:
            if unit.sound:
                self._marker.ended_by_time(unit)
            self._finish(unit, pictures)
        elif unit is not None and unit.sound and not self._after_gap and len(unit.data) <= MAX_HEAD:
            unit.timestamp, unit.received_at = packet.timestamp, at  # parameter sets with a time of their own
            return unit
        split = packet.timestamp == self._ended_by_marker and payload.has_picture and not payload.opens
        if split and not self._after_gap:
            self._marker.went_on()
            self._recovery.lose()
        self._unit = Unit(packet.timestamp, at, sound=payload.opens or not (self._after_gap or split))
        self._after_gap, self._ended_by_marker = False, None
        return self._unit

    def _finish(self, unit: Unit, pictures: list[Picture]) -> None:
        """Let a unit go that is at its end."""
        self._unit = None
        begins = self.wants_keyframe
        if not unit.sound or not self._recovery.admits(unit.entry, unit.recovers_after, unit.received_at):
            return
        pts, is_key = self._seconds(unit.timestamp), begins or unit.entry >= max(self._recovery.accepts, Entry.INTRA)
        data = bytes(unit.data) if not (self._sets and is_key) else self._sets + unit.data
        if is_key and unit.parameter_sets:
            self._sets = b""  # in front of the first of the sender's own too, which may be without some
        if not data.endswith(self._ending):
            data += self._ending
        is_right = self._recovery.is_right(unit.received_at)
        pictures.append(Picture(data, pts, is_key, unit.received_at, unit.whole_at, is_right, unit.entry))

    def _seconds(self, timestamp: int) -> float:
        """A timestamp in seconds, counted on past its 32 bits."""
        if self._ticks is None:
            self._ticks = timestamp
        self._ticks += (timestamp - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)
        return self._ticks / self._clock_rate
