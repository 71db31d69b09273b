"""RTP packets of one sender become whole pictures, in order, at once: the newest wins. Pure; time is an argument.

    packets ─► in order, a lost one waited for ─► units, ended by marker or timestamp ─► those that can be decoded

aiortc's own jitter buffer (1.16) waits for the next picture's first packet before it lets one go, as FFmpeg's parser
does, and a packet that never comes holds it until 512 others have piled up, 3.4 s at 1.5 Mbit/s. This one goes by the
marker bit, waits `patience` for a lost packet, and then goes on at the next picture that needs no other.
"""

import struct
from collections.abc import Sequence
from itertools import islice

from streamer.rtp.counting import ANEW, Counting
from streamer.rtp.gathering import Gathering
from streamer.rtp.marker import MarkerHabit
from streamer.rtp.numbering import Numbering
from streamer.rtp.packet import HEADER, Packet, read_packet
from streamer.rtp.payload import Continues, Entry, Payload
from streamer.rtp.picture import Picture
from streamer.rtp.waiting import Waiting

PATIENCE = 0.25
"""Seconds a lost packet may take to be sent again (RFC 4585): two round trips across a continent."""
MAX_BYTES = 16 << 20
"""Bytes of a picture, and of all packets that wait."""
STRANGER_AFTER = 1.0
"""Seconds of silence after which another SSRC is taken for the same camera: before, it is another layer of it."""
CLOCK_RATE = 90_000
_TIME_AND_SOURCE = struct.Struct(">II")


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
        self._patience, self._waiting, self._max_bytes = patience, Waiting(max_bytes), max_bytes
        self._gathering = Gathering(
            clock_rate=clock_rate,
            trusts_marker=trusts_marker,
            max_bytes=max_bytes,
            refresh_after=refresh_after,
            parameter_sets=parameter_sets,
            ending=ending,
        )
        self._recovery = self._gathering.recovery
        self._next: int | None = None
        """The number that would be in order, or None before the first."""
        self._counting, self._newest_at = Counting(patient=patience > 0), 0.0
        self._ssrc: int | None = None
        self._payload_type = -1
        """Of the newest packet."""
        self._numbering = Numbering()
        self._gap_since: float | None = None

    @property
    def too_large(self) -> int:
        """Pictures dropped because they were larger than allowed."""
        return self._gathering.too_large

    @property
    def led(self) -> int:
        """Pictures dropped because they lead one with which decoding began, and need what was before it."""
        return self._gathering.led

    @property
    def wants_keyframe(self) -> bool:
        """Whether nothing can come out before a picture to begin with."""
        return self._recovery.wanted

    @property
    def marker_habit(self) -> MarkerHabit:
        """When this sender sets the marker."""
        return self._gathering.marker.habit

    @property
    def numbered(self) -> bool:
        """Whether sequence numbers are believed; else packets are taken as they come, and no loss can be told (TCP)."""
        return self._numbering.believed

    @property
    def gathering(self) -> bool:
        """Whether a picture is on its way, with nothing of it missing so far; a keyframe where one is wanted."""
        return self._gap_since is None and self._gathering.is_of_use

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
        self._newest_at, self._payload_type = now, packet.payload_type
        if number > self._counting.newest:
            self._counting.newest = number
        pictures: list[Picture] = []
        if number != self._next:
            self._wait(number, packet, payload, now, pictures)
            return pictures
        self._next = number + 1
        self._gathering.add(packet, payload, now, pictures)
        if self._waiting.pieces:
            self._catch_up(now, pictures)
        return pictures

    def go_on(self, run: Sequence[bytes], at: int, continues: Continues, now: float) -> tuple[int, Packet] | None:
        """Take packets that only go on with the picture being gathered: most do, and each costs a twentieth of `put`.

        Args:
            run: packets as they came.
            at: the index of the first to look at; the one before it was taken by `put`, if there is one.
            continues: of their codec.
            now: their arrival.

        Returns:
            how many were taken, and the last of them; None: the first has more to say.
        """
        unit, number = self._gathering.going_on, self._next
        if unit is None or number is None or self._ssrc is None or not self._is_in_order(number, unit.timestamp):
            return None
        rest, room = _TIME_AND_SOURCE.pack(unit.timestamp, self._ssrc), self._max_bytes - len(unit.data)
        parts: list[bytes] = []
        for packet in islice(run, at, None):
            # Version 2 and nothing else in the first byte: no padding, extension or sources. No marker, either.
            is_next = packet[:1] == b"\x80" and packet[2:HEADER] == (number & 0xFFFF).to_bytes(2, "big") + rest
            begin = continues(packet, HEADER) if is_next and packet[1] == self._payload_type else 0
            room -= len(packet) - begin
            if not begin or room < 0:
                break
            parts.append(packet[begin:])
            number += 1
        if not parts:
            return None
        last = read_packet(run[at + len(parts) - 1])
        unit.go_on(b"".join(parts), len(parts), now)
        self._next, self._counting.newest, self._newest_at = number, number - 1, now
        self._numbering.went_on(last)
        return len(parts), last

    def tick(self, now: float) -> list[Picture]:
        """Look at the clock; returns what can come out once a lost packet is given up."""
        pictures: list[Picture] = []
        if self._gap_since is not None and now - self._gap_since >= self._patience:
            self._give_up(now, pictures)
        return pictures

    def missing(self) -> list[int]:
        """The sequence numbers being waited for, at most as many as fit one NACK."""
        if self._next is None or self._gap_since is None:
            return []
        if self.wants_keyframe and not self._gathering.is_of_use:
            return []
        gaps = (number for number in range(self._next, self._counting.newest) if number not in self._waiting.pieces)
        return [number & 0xFFFF for number, _ in zip(gaps, range(64), strict=False)]

    def reset(self) -> None:
        """Forget everything but the counts: start again at a keyframe."""
        self._waiting.clear()
        self._next = self._gap_since = None
        self._gathering.reset()

    # ---- in order

    def _is_in_order(self, number: int, timestamp: int) -> bool:
        """Whether a packet of that number, which is the next, and of that time tells nothing new of its sender."""
        if self._waiting.pieces or self._counting.newest != number - 1:
            return False
        return self._patience > 0 or self._numbering.follows(number & 0xFFFF, timestamp)

    def _number(self, sequence: int) -> int | None:
        """A sequence number counted on past its 16 bits; None for a packet that is too late, or came before."""
        if self._next is not None:
            number = self._counting.number(sequence, self._next)
            if number != ANEW:
                return number
            self.reset()
        self._next = self._counting.begin(sequence)
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
        self._gathering.lose()
        if relation != "newer":
            return None
        self._next = self._counting.newest = self._counting.counted_on(packet.sequence)
        return self._next

    def _wait(self, number: int, packet: Packet, payload: Payload, now: float, pictures: list[Picture]) -> None:
        """Keep a packet that came before its turn."""
        waiting = self._waiting
        if number in waiting.pieces:
            return
        waiting.keep(number, (packet, payload, now))
        if self._gap_since is None:
            self._gap_since = now
        if self._patience <= 0:
            self._give_up(now, pictures)
        elif self.wants_keyframe and payload.parameter_sets and self._gathering.may_begin(packet, payload):
            self._leap(number, now, pictures)
        if waiting.is_over():
            self._give_up(now, pictures)
            if waiting.is_over(half=True):
                self._leap(self._counting.newest + 1, now, pictures)

    def _catch_up(self, now: float, pictures: list[Picture]) -> None:
        """Take what waited, as far as it is in order."""
        while self._next is not None and (piece := self._waiting.take(self._next)) is not None:
            self._next += 1
            self._gathering.add(*piece, pictures)
        self._gap_since = now if self._waiting.pieces else None  # another gap has its own patience

    def _give_up(self, now: float, pictures: list[Picture]) -> None:
        """Stop waiting: go on at the next picture to begin with, which may be here already."""
        self.lost += 1
        self._recovery.lose()
        begins = self._waiting.first(self._gathering.begins)
        if begins is None:
            useless = self._recovery.accepts > Entry.NONE
            begins = self._counting.newest + 1 if useless else min(self._waiting.pieces)
        self._leap(begins, now, pictures)

    def _leap(self, number: int, now: float, pictures: list[Picture]) -> None:
        """Go on at a number, whatever is missing before it."""
        skipped = self._waiting.drop_before(number)
        if self._next is not None:
            self.lost_packets += number - self._next - skipped
        self._next = number
        self._gathering.lose()
        self._catch_up(now, pictures)
