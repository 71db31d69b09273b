"""Packets that came before their turn, until the missing one comes or is given up. Pure."""

from collections.abc import Callable

from streamer.rtp.packet import Packet
from streamer.rtp.payload import Payload

CAPACITY = 1024
"""Packets that may wait for one that is missing."""

Piece = tuple[Packet, Payload, float]
"""A packet, what was read from its payload, and its arrival."""


class Waiting:
    """Of one sender.

    Args:
        max_bytes: that may wait together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.pieces: dict[int, Piece] = {}
        """By sequence number counted on past 16 bits."""
        self.bytes = 0

    def keep(self, number: int, piece: Piece) -> None:
        """One more, of a number that does not wait yet."""
        self.pieces[number] = piece
        self.bytes += len(piece[1].data)

    def take(self, number: int) -> Piece | None:
        """The one of that number, if it is here."""
        piece = self.pieces.pop(number, None)
        if piece is not None:
            self.bytes -= len(piece[1].data)
        return piece

    def drop_before(self, number: int) -> int:
        """Let go of those before a number; gives how many they were."""
        skipped = [at for at in self.pieces if at < number]
        for at in skipped:
            self.take(at)
        return len(skipped)

    def first(self, fits: Callable[[Payload], bool]) -> int | None:
        """The lowest number whose payload fits."""
        return min((number for number, (_, payload, _) in self.pieces.items() if fits(payload)), default=None)

    def is_over(self, *, half: bool = False) -> bool:
        """Whether more wait than may, or than half of it."""
        return len(self.pieces) > CAPACITY >> half or self.bytes > self._max_bytes >> half

    def clear(self) -> None:
        """Let go of all."""
        self.pieces.clear()
        self.bytes = 0
