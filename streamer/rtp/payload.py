"""What one packet's payload gives to its picture, whatever the codec."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class Entry(IntEnum):
    """How well decoding can begin with a picture. The greater the better."""

    NONE = 0
    """It needs others."""
    INTRA = 1
    """Made of I slices alone, and nobody says that what follows does without what came before."""
    POINT = 2
    """The sender says from where on pictures are right again (a recovery point: H.264 and H.265, annex D)."""
    KEY = 3
    """It needs no other, nor does what follows it (IDR; IRAP of H.265; a key frame of VP8; any JPEG)."""


@dataclass(slots=True)
class Payload:
    """One packet's part of its picture. Made once a packet, therefore not frozen, which would cost as much again."""

    data: bytes
    """As the decoder wants it: Annex B with start codes for H.264 and H.265. May be empty."""
    opens: bool = False
    """Whether nothing that a decoder needs of this picture comes before."""
    entry: Entry = Entry.NONE
    """What can be told from this packet alone; a picture is worth its best packet."""
    predicted: bool = False
    """Whether a slice begins here that is no I slice: then INTRA is not true of its picture."""
    has_picture: bool = True
    """Whether there is more in it than parameter sets, delimiters and messages."""
    parameter_sets: bool = False
    """Whether what a decoder must know of the whole sequence is in it: an SPS or a VPS; a header that says all."""
    recovers_after: int = 0
    """With POINT: pictures after which all is right again."""
    leads: bool | None = None
    """Of a picture that is shown before the key picture behind which it is decoded: whether it needs what was before
    that (RASL of H.265) or not (RADL). None: it is none, or its kind does not say."""


Depacketizer = Callable[[bytes], Payload]
"""Reads one packet's payload. Raises Malformed, whose sentence says what is not understood."""
Continues = Callable[[bytes, int], int]
"""Of a packet, and where its payload begins: bytes before the part of a picture's unit that goes on in it and does not
begin there, which `Payload` has as nothing but its `data` and `has_picture`; 0 where there is something else in it."""


def never(_packet: bytes, _at: int) -> int:
    """Of codecs whose packets each have something to say."""
    return 0
