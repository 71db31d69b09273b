"""One sender's sequence numbers, counted on past their 16 bits; who counts anew is noticed. Pure."""

MAX_LEAP = 3000
"""Sequence numbers a sender may leap; beyond it has started anew (MAX_DROPOUT of RFC 3550 appendix A.1)."""
MAX_MISORDER = 100
"""Sequence numbers by which a packet may be late; beyond, several in a row are a sender's that has started anew."""
RESTARTED = 4
"""How many in a row. Fewer could be an old burst's packets, sent again."""

ANEW = -1
"""In place of a number: its sender counts anew."""


class Counting:
    """Of one sender.

    Args:
        patient: whether packets can be late (UDP).
    """

    def __init__(self, *, patient: bool) -> None:
        self.newest = 0
        """The highest number so far."""
        self._patient = patient
        self._late: tuple[int, int] = (0, 0)
        """The newest late packet's number, and how many have been late in a row."""

    def begin(self, sequence: int) -> int:
        """The first number, or that of a sender which counts anew."""
        self._late = (0, 0)
        self.newest = sequence + (1 << 16)
        return self.newest

    def counted_on(self, sequence: int) -> int:
        """The number that is nearest to the newest."""
        return self.newest + (sequence - self.newest + 0x8000 & 0xFFFF) - 0x8000

    def number(self, sequence: int, following: int) -> int | None:
        """A number of `following` or more; None for a packet that is too late, or came before; or ANEW."""
        ahead = (sequence - self.newest + 0x8000 & 0xFFFF) - 0x8000
        number = self.newest + ahead
        if number >= following and ahead <= MAX_LEAP:
            self._late = (0, 0)
            return number
        behind = -ahead
        return None if 0 <= behind <= MAX_LEAP and not self._restarted(number, behind) else ANEW

    def _restarted(self, number: int, behind: int) -> bool:
        """Whether late packets follow each other as a sender's do that counts anew."""
        if behind <= MAX_MISORDER and self._patient:
            return False
        before, count = self._late
        self._late = number, count + 1 if number == before + 1 else 1
        return self._late[1] >= RESTARTED
