"""How much of a group of pictures may be kept: so much of each, and more while all together leave some. Pure.

A stream of many pixels whose key pictures come seldom has groups beyond any room that each could have for itself.
"""

from threading import Lock
from weakref import WeakKeyDictionary

MOST_PICTURES = 600
"""Of one group: twenty seconds of 30 a second."""
OWN_BYTES = 8 << 20
"""That each group may have in any case: ten seconds of 6 Mbit/s."""
MOST_BYTES = 32 << 20
"""That one may have while there is room: ten seconds of 26 Mbit/s."""
SPARE_BYTES = 128 << 20
"""Beyond their own, of all groups of a service."""


class Spare:
    """What groups have beyond their own bytes; all streams share it. Of any thread."""

    def __init__(self, most_bytes: int = SPARE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lent: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        """By who has it; who is forgotten has given it back."""
        self._lock = Lock()

    @property
    def lent_bytes(self) -> int:
        """To all."""
        with self._lock:
            return sum(self._lent.values())

    def lend(self, borrower: object, size: int) -> bool:
        """Whether somebody may have so many bytes now, instead of what he had; 0 gives all back."""
        with self._lock:
            before = self._lent.pop(borrower, 0)
            is_lent = sum(self._lent.values()) + size <= self._most_bytes
            kept = size if is_lent else before
            if kept:
                self._lent[borrower] = kept
            return is_lent


class Room:
    """Of one group."""

    def __init__(
        self,
        spare: Spare | None = None,
        *,
        own_bytes: int = OWN_BYTES,
        most_bytes: int = MOST_BYTES,
        most_pictures: int = MOST_PICTURES,
    ) -> None:
        """Be empty; `spare`: where more than its own comes from, None: from nowhere."""
        self._spare = spare
        self._own_bytes, self._most_bytes, self._most_pictures = own_bytes, most_bytes, most_pictures
        self.pictures = self.bytes = 0
        """Taken."""

    def take(self, size: int) -> bool:
        """Whether there is room for one more picture of so many bytes, which is taken."""
        taken = self.bytes + size
        if self.pictures >= self._most_pictures or taken > self._most_bytes:
            return False
        over = taken - self._own_bytes
        if over > 0 and (self._spare is None or not self._spare.lend(self, over)):
            return False
        self.pictures, self.bytes = self.pictures + 1, taken
        return True

    def clear(self) -> None:
        """Take nothing any more."""
        if self._spare is not None and self.bytes > self._own_bytes:
            self._spare.lend(self, 0)
        self.pictures = self.bytes = 0
