"""RTP packets of a publisher become whole pictures, in order, at once: the newest wins. Pure; time is an argument.

aiortc's own jitter buffer (1.16) waits for the next picture's first packet before it lets one go, a frame interval, and
a packet that never comes holds it until 512 others have piled up, 3.4 s at 1.5 Mbit/s. This one goes by the marker bit
(RFC 6184 section 5.1, RFC 7741 section 4.1), waits `PATIENCE` for a lost packet, and then goes on at the next keyframe.
"""

from dataclasses import dataclass

PATIENCE = 0.25
"""Seconds a lost packet may take to be sent again (RFC 4585): two round trips across a continent."""
CAPACITY = 1024
"""Packets that may wait: a keyframe of 1.2 MB."""
STRANGER_AFTER = 1.0
"""Seconds of silence after which another SSRC is taken for the same camera: before, it is another layer of it."""
MAX_LEAP = 3000
"""Sequence numbers a sender may leap; beyond it has started anew (MAX_DROPOUT of RFC 3550 appendix A.1)."""
CLOCK_RATE = 90_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One RTP packet."""

    ssrc: int
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, 90 kHz."""
    marker: bool
    """The last packet of its picture."""
    data: bytes
    """Without the payload's descriptor: Annex B, or a part of a VP8 frame."""
    starts_keyframe: bool
    """Certainly the first of a keyframe: it carries an SPS, or the start of a VP8 key frame."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture, whole."""

    data: bytes
    pts: float
    """Seconds of the sender's clock."""
    is_keyframe: bool
    received_at: float
    """Monotonic arrival of its first packet."""


class Assembler:
    """Puts one publisher's pictures together."""

    def __init__(self) -> None:
        self.lost = 0
        """Times a packet was given up for lost."""
        self.wants_keyframe = True
        """Whether nothing can come out before a keyframe does."""
        self._pieces: dict[int, tuple[Piece, float]] = {}
        """What waits, with its arrival, by sequence number counted on past 16 bits."""
        self._next: int | None = None
        """The first packet of the next picture, or None while a keyframe is looked for."""
        self._newest: int | None = None
        self._newest_at = 0.0
        self._ssrc: int | None = None
        self._gap_since: float | None = None
        self._ticks: int | None = None
        """The newest timestamp, counted on past 32 bits."""

    @property
    def gathering(self) -> bool:
        """Whether a picture is on its way, with nothing of it missing so far; a keyframe where one is wanted."""
        return self._next is not None and self._gap_since is None and bool(self._pieces)

    def put(self, piece: Piece, now: float) -> list[Picture]:
        """Take a packet; returns the pictures that are whole now."""
        if piece.ssrc != self._ssrc:
            if self._ssrc is not None and now - self._newest_at < STRANGER_AFTER:
                return []
            self.reset()
            self._ssrc = piece.ssrc
        number = self._number(piece.sequence)
        if self._next is not None and number < self._next:
            return []
        self._pieces.setdefault(number, (piece, now))
        self._newest, self._newest_at = max(number, self._newest or number), now
        return self._give_up() if len(self._pieces) > CAPACITY else self._take(now)

    def tick(self, now: float) -> list[Picture]:
        """Look at the clock; returns what can come out once a lost packet is given up."""
        if self._gap_since is None or now - self._gap_since < PATIENCE:
            return []
        return self._give_up()

    def missing(self) -> list[int]:
        """The sequence numbers being waited for, at most as many as fit one NACK."""
        if self._next is None or self._newest is None:
            return []
        gaps = (number for number in range(self._next, self._newest) if number not in self._pieces)
        return [number & 0xFFFF for number, _ in zip(gaps, range(64), strict=False)]

    def reset(self) -> None:
        """Forget everything: start again at a keyframe."""
        self._pieces.clear()
        self._next = self._newest = self._gap_since = self._ticks = None
        self.wants_keyframe = True

    def _number(self, sequence: int) -> int:
        """A sequence number counted on past its 16 bits."""
        if self._newest is None:
            return sequence + (1 << 16)
        step = (sequence - self._newest + (1 << 15)) % (1 << 16) - (1 << 15)
        if abs(step) > MAX_LEAP:
            self.reset()
            return sequence + (1 << 16)
        return self._newest + step

    def _take(self, now: float) -> list[Picture]:
        """Cut off whole pictures from the front."""
        pictures: list[Picture] = []
        if self._next is None:
            self._next = self._keyframe_start()
            self._forget_before(self._next)
        while self._next is not None:
            after = self._end(self._next)
            if after is None:
                break
            picture = self._cut(self._next, after)
            self._next = after
            if picture is not None:
                self.wants_keyframe = False
                pictures.append(picture)
        if pictures:
            self._gap_since = None  # another gap has its own patience
        self._note_gap(now)
        return pictures

    def _give_up(self) -> list[Picture]:
        """Stop waiting: go on at the next keyframe, which may be here already."""
        self.lost += 1
        self.wants_keyframe = True
        self._gap_since = None
        if self._next is not None and self._next in self._pieces:  # the broken picture, should it be a keyframe itself
            broken = self._pieces[self._next][0].timestamp
            self._pieces = {at: kept for at, kept in self._pieces.items() if kept[0].timestamp != broken}
        self._next = None
        if len(self._pieces) > CAPACITY:
            self._pieces.clear()
        return self._take(self._newest_at)

    def _keyframe_start(self) -> int | None:
        starts = (number for number, (piece, _) in self._pieces.items() if piece.starts_keyframe)
        return min(starts, default=None)

    def _forget_before(self, number: int | None) -> None:
        """Drop what can never come out; without a start that is everything but what may precede one out of order."""
        if number is not None:
            self._pieces = {at: piece for at, piece in self._pieces.items() if at >= number}
        elif self._newest is not None:
            self._pieces = {at: piece for at, piece in self._pieces.items() if at > self._newest - 64}

    def _end(self, start: int) -> int | None:
        """The number after the picture that begins at `start`, or None while it is not whole."""
        number, timestamp = start, None
        while number in self._pieces:
            piece = self._pieces[number][0]
            if not piece.data and number == start:
                return number + 1  # padding between pictures, with which browsers probe the bandwidth
            if timestamp is not None and piece.timestamp != timestamp:
                return number  # a sender that sets no marker
            timestamp = piece.timestamp
            number += 1
            if piece.marker:
                return number
        return None

    def _cut(self, start: int, after: int) -> Picture | None:
        pieces = [self._pieces.pop(number) for number in range(start, after)]
        data = b"".join(piece.data for piece, _ in pieces)
        if not data:
            return None
        first, received_at = pieces[0]
        is_keyframe = any(piece.starts_keyframe for piece, _ in pieces)
        return Picture(data, self._seconds(first.timestamp), is_keyframe, received_at)

    def _seconds(self, timestamp: int) -> float:
        """A timestamp in seconds, counted on past its 32 bits."""
        if self._ticks is None:
            self._ticks = timestamp
        self._ticks += (timestamp - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)
        return self._ticks / CLOCK_RATE

    def _note_gap(self, now: float) -> None:
        """Remember since when a packet has been missing in front of others that are here."""
        if self._next is None or self._newest is None or self._newest - self._next + 1 == len(self._pieces):
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = now
