"""H.265 out of RTP (RFC 7798): one packet's NAL units, or its part of one, as Annex B. Keeps nothing.

Single units, aggregates (AP) and fragments (FU). With `sprop-max-don-diff` above 0 each unit carries its decoding order
number, which is passed over: no camera is known to send out of order what it numbers. PACI is refused by name.
"""

from streamer.rtp.bits import Bits
from streamer.rtp.h264 import SHORT_START, START, messages
from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload

IRAP = range(16, 24)
"""Pictures that need no other: IDR, BLA, CRA."""
LEADING = {6: False, 7: False, 8: True, 9: True}
"""RADL and RASL: whether they need what was before their key picture (clause 3.128, 3.129)."""
FIRST_HEAD = 32
"""Beyond the slices: VPS, SPS, PPS, delimiter, end of sequence, end of bitstream, filler, SEI."""
VPS, SPS, PPS, DELIMITER, PREFIX_SEI = 32, 33, 34, 35, 39
HEADS = frozenset((VPS, SPS, PPS, DELIMITER, PREFIX_SEI))
"""Units that come before the slices of their picture (H.265 clause 7.4.2.4.4)."""
ENDS = (36, 37)
"""End of sequence, end of bitstream: a header, and nothing behind it."""
AGGREGATE, FRAGMENT, PACI = 48, 49, 50
RECOVERY_POINT = 6
INTRA_SLICE = 2
"""slice_type of I (table 7-7)."""


def read_h265(payload: bytes, *, numbered: bool = False) -> Payload:
    """Read one packet's payload.

    Args:
        payload: without RTP's header.
        numbered: whether decoding order numbers (DONL, DOND) are in it: `sprop-max-don-diff` is above 0.

    Raises:
        Malformed: a length leads out of it, or it is a PACI packet.
    """
    payload = payload.removeprefix(START).removeprefix(SHORT_START)  # some senders leave it in
    if not payload:
        return Payload(b"", has_picture=False)
    kind = payload[0] >> 1 & 0x3F
    if len(payload) < (2 if kind in ENDS else 3):
        raise Malformed("an H.265 packet ends within its header")
    if kind == FRAGMENT:
        return _fragment(payload, numbered=numbered)
    if kind == AGGREGATE:
        return _aggregate(payload, numbered=numbered)
    if kind == PACI:
        raise Malformed("the sender uses PACI packets of H.265, which are not read; single units, AP and FU are")
    if kind > PACI:  # not defined: what a maker sends there for its own is passed over, as decoders do
        return Payload(b"", has_picture=False)
    unit = payload[:2] + payload[4:] if numbered else payload
    found = Payload(START + unit, has_picture=False)
    _note(found, unit, first=True)
    return found


def continues_h265(packet: bytes, at: int) -> int:
    """`Continues`: a further fragment (FU) of a slice; only the first has a decoding order number."""
    if len(packet) > at + 3 and packet[at] >> 1 & 0x3F == FRAGMENT and packet[at + 2] & 0xBF < FIRST_HEAD:
        return at + 3
    return 0


def _fragment(payload: bytes, *, numbered: bool) -> Payload:
    header = payload[2]
    if not header & 0x80:
        return Payload(payload[3:], has_picture=header & 0x3F < FIRST_HEAD)
    unit = bytes((payload[0] & 0x81 | (header & 0x3F) << 1, payload[1])) + payload[5 if numbered else 3 :]
    found = Payload(START + unit, has_picture=False)
    _note(found, unit, first=True)
    return found


def _aggregate(payload: bytes, *, numbered: bool) -> Payload:
    found, at = Payload(b"", has_picture=False), 4 if numbered else 2
    parts: list[bytes] = []
    while at + 2 < len(payload):  # a byte or two behind the last unit are no other
        size, at = int.from_bytes(payload[at : at + 2], "big"), at + 2
        unit = payload[at : at + size]
        at += size
        if at > len(payload):
            raise Malformed("a unit of an aggregate (AP) is longer than its packet")
        at += numbered  # DOND, one byte before each unit but the first
        if unit:
            parts += (START, unit)
            _note(found, unit, first=len(parts) == 2)
    found.data = b"".join(parts)
    return found


def _note(found: Payload, unit: bytes, *, first: bool) -> None:
    """Note what a unit says of its picture; `first` in its packet."""
    kind = unit[0] >> 1 & 0x3F
    if kind in HEADS:
        found.opens |= first
        found.parameter_sets |= kind in (VPS, SPS)
        if kind == PREFIX_SEI:
            _note_recovery_point(found, unit)
    elif kind < FIRST_HEAD:
        found.has_picture = True
        begins = unit[2:3] >= b"\x80"  # first_slice_segment_in_pic_flag
        found.opens |= first and begins
        found.leads = LEADING.get(kind)
        if kind in IRAP:
            found.entry = Entry.KEY
        elif begins:
            _note_slice(found, unit)


def _note_slice(found: Payload, unit: bytes) -> None:
    """Look for the type of a picture's first slice (clause 7.3.6.1), where the PPS puts no extra bits before it."""
    try:
        bits = Bits(unit[2:])
        bits.take(1)
        bits.unsigned()  # slice_pic_parameter_set_id
        intra = bits.unsigned() == INTRA_SLICE
    except Malformed:
        return
    if intra:
        found.entry = max(found.entry, Entry.INTRA)
    else:
        found.predicted = True


def _note_recovery_point(found: Payload, unit: bytes) -> None:
    """Look for a recovery point among the messages of an SEI unit (annex D.2.8)."""
    for kind, message in messages(unit, 2):
        if kind == RECOVERY_POINT:
            try:
                coded = Bits(message).unsigned()  # recovery_poc_cnt, signed: odd codes are positive
            except Malformed:
                continue
            found.recovers_after = (coded + 1) // 2 if coded % 2 else 0
            found.entry = max(found.entry, Entry.POINT)
