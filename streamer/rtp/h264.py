"""H.264 out of RTP (RFC 6184): one packet's NAL units, or its part of one, as Annex B. Keeps nothing.

Single units, STAP-A and FU-A, which is what packetization modes 0 and 1 have. Mode 2 sends units out of order, needs a
buffer to put them back and is sent by nothing that we know: its kinds (STAP-B, MTAP, FU-B) are refused by name.
"""

from streamer.rtp.bits import Bits
from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload

START = b"\0\0\0\1"
SHORT_START = b"\0\0\1"
SLICE, IDR, SEI, SPS, PPS, DELIMITER, PREFIX, SUBSET_SPS = 1, 5, 6, 7, 8, 9, 14, 15
HEADS = frozenset((SEI, SPS, PPS, DELIMITER, PREFIX, SUBSET_SPS))
"""Units that come before the slices of their picture (H.264 clause 7.4.1.2.3)."""
UNITS = range(1, 24)
"""Beyond, and 0, nothing is defined: what a maker sends there for its own is passed over, as decoders do."""
STAP_A, FU_A = 24, 28
REFUSED = {25: "STAP-B", 26: "MTAP16", 27: "MTAP24", 29: "FU-B"}
RECOVERY_POINT = 6
MAX_MESSAGES = 32
"""Messages of one SEI unit that are looked at: encoders send a handful."""
SLICE_HEAD = 16
"""Bytes of a slice in which its first two numbers are: of 32 bits each at the most, and three bytes of two escaped."""
INTRA_SLICES = (2, 4, 7, 9)
"""slice_type of I and SI (table 7-6)."""


def read_h264(payload: bytes) -> Payload:
    """Read one packet's payload.

    Raises:
        Malformed: a length leads out of it, or its kind is one of packetization mode 2.
    """
    if payload[:1] == b"\0":
        payload = payload.removeprefix(START).removeprefix(SHORT_START)  # some senders leave it in
    if not payload:
        return Payload(b"", has_picture=False)
    kind = payload[0] & 0x1F
    if kind == FU_A:
        return _fragment(payload)
    if kind == STAP_A:
        return _aggregate(payload)
    if kind in REFUSED:
        named = f"{REFUSED[kind]} of H.264's packetization mode 2"
        raise Malformed(f"the sender uses {named}, which is not read; modes 0 and 1 are")
    if kind not in UNITS:
        return Payload(b"", has_picture=False)
    found = Payload(START + payload, has_picture=False)
    _note(found, payload)
    return found


def continues_h264(packet: bytes, at: int) -> int:
    """`Continues`: a further fragment (FU-A) of a slice."""
    if len(packet) > at + 2 and packet[at] & 0x1F == FU_A and not packet[at + 1] & 0x80:
        return at + 2 if SLICE <= packet[at + 1] & 0x1F <= IDR else 0
    return 0


def _fragment(payload: bytes) -> Payload:
    if len(payload) < 2:
        raise Malformed("a fragment (FU-A) ends within its header")
    header = payload[1]
    kind = header & 0x1F
    if kind not in UNITS:
        return Payload(b"", has_picture=False)
    if not header & 0x80:
        found = Payload(payload[2:], has_picture=kind not in HEADS)
        if kind in HEADS:
            for part in payload[2:].split(b"\0\0\1")[1:]:
                if part:
                    _note_one(found, part, first=False)
        return found
    unit = bytes((payload[0] & 0xE0 | kind,)) + payload[2:]
    found = Payload(START + unit, has_picture=False)
    _note(found, unit)
    return found


def _aggregate(payload: bytes) -> Payload:
    found, at = Payload(b"", has_picture=False), 1
    parts: list[bytes] = []
    while at + 2 < len(payload):  # a byte or two behind the last unit are no other
        size, at = int.from_bytes(payload[at : at + 2], "big"), at + 2
        unit = payload[at : at + size]
        at += size
        if at > len(payload):
            raise Malformed("a unit of an aggregate (STAP-A) is longer than its packet")
        if unit:
            parts += (START, unit)
            first = len(parts) == 2
            _note(found, unit, first=first)
    found.data = b"".join(parts)
    return found


def _split(unit: bytes) -> list[bytes]:
    """A unit, and those behind it that some senders join to their parameter sets by start codes."""
    return [part for part in unit.split(b"\0\0\1") if part]


def _note(found: Payload, unit: bytes, *, first: bool = True) -> None:
    """Note what a unit says of its picture; `first` in its packet."""
    parts = _split(unit) if unit[0] & 0x1F in HEADS else [unit]
    for at, part in enumerate(parts):
        _note_one(found, part, first=first and at == 0)


def _note_one(found: Payload, unit: bytes, *, first: bool) -> None:
    kind = unit[0] & 0x1F
    if kind in HEADS:
        found.opens |= first
        found.parameter_sets |= kind == SPS
        if kind == SEI:
            _note_recovery_point(found, unit)
    elif SLICE <= kind <= IDR:
        found.has_picture = True
        _note_slice(found, unit, kind, first=first)


def _note_slice(found: Payload, unit: bytes, kind: int, *, first: bool) -> None:
    if kind == IDR:
        found.entry = Entry.KEY
    if kind in (SLICE, 2, IDR):  # partitions B and C begin otherwise, and never a picture
        try:
            bits = Bits(unit[1 : 1 + SLICE_HEAD], SLICE_HEAD)
            begins = bits.unsigned() == 0  # first_mb_in_slice
            intra = bits.unsigned() in INTRA_SLICES
        except Malformed:
            return  # a slice too short to say so, which the decoder may judge
        found.opens |= first and begins
        if not intra:
            found.predicted = True
        elif found.entry < Entry.INTRA:
            found.entry = Entry.INTRA


def _note_recovery_point(found: Payload, unit: bytes) -> None:
    """Look for a recovery point among the messages of an SEI unit (clause 7.3.2.3.1, annex D.1.8)."""
    for kind, message in messages(unit, 1):
        if kind == RECOVERY_POINT:
            try:
                found.recovers_after = Bits(message).unsigned()  # recovery_frame_cnt
            except Malformed:
                continue
            found.entry = max(found.entry, Entry.POINT)


def messages(unit: bytes, at: int) -> list[tuple[int, bytes]]:
    """The messages of an SEI unit from byte `at` on: (payloadType, its bytes). H.265 writes them in the same way."""
    found: list[tuple[int, bytes]] = []
    unit = unit.replace(b"\0\0\3", b"\0\0")
    while at + 2 <= len(unit) and len(found) < MAX_MESSAGES:
        numbers = []
        for _ in range(2):
            number = 0
            while at < len(unit) and unit[at] == 0xFF:
                number, at = number + 255, at + 1
            number, at = number + (unit[at] if at < len(unit) else 0), at + 1
            numbers.append(number)
        kind, size = numbers
        found.append((kind, unit[at : at + size]))
        at += size
    return found
