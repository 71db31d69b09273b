"""The bits at the beginning of a NAL unit, read as H.264 and H.265 write them (clause 9.1, Exp-Golomb codes)."""

from streamer.rtp.packet import Malformed

LOOKED_AT = 64
"""Bytes of a unit that are looked at: what is asked for stands within the first few."""


class Bits:
    """Reads bits from the front of a NAL unit, emulation prevention taken out."""

    def __init__(self, data: bytes, looked_at: int = LOOKED_AT) -> None:
        data = data[:looked_at].replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits; raises Malformed where they end."""
        if count > self._left:
            raise Malformed("a NAL unit ends within its header")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def signed(self) -> int:
        """The next se(v) (clause 9.1.1)."""
        coded = self.unsigned()
        return (coded + 1) // 2 if coded % 2 else -(coded // 2)

    def unsigned(self) -> int:
        """The next ue(v)."""
        zeros = self._left - (self._value & ((1 << self._left) - 1)).bit_length()
        if zeros > 32:
            raise Malformed("a number in a NAL unit is longer than 32 bits")
        self.take(zeros + 1)
        return (1 << zeros) - 1 + self.take(zeros)
