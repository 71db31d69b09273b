"""What is sent again to one viewer that reports packets lost (NACK, RFC 4585 section 6.2.1). Pure.

aiortc obeys every entry of every report. One report of 1332 bytes that repeats one entry is answered with five
thousand packets, and ten of them a second leave nothing for the other viewers.
"""

MAX_AGAIN = 64
"""Packets that one report may have sent again; who lost more is better served with a keyframe."""
MAX_SAVED = 128 * 1024
"""Bytes that a viewer may be owed: nearly all that is kept to be sent again, which are the last 128 packets."""


class Retransmissions:
    """One viewer's account: a byte sent again must have been earned by one sent for the first time.

    So retransmission is never more than the stream itself, whatever its bit rate is, but for what had been saved.
    """

    def __init__(self) -> None:
        self.sent = 0
        """Packets sent again."""
        self.refused = 0
        """Packets that were asked for and not sent again: too many, or not earned."""
        self._saved = 0
        self._asked: set[int] = set()
        """Sequence numbers in the report at hand."""

    def earn(self, size: int) -> None:
        """So many bytes were sent for the first time."""
        self._saved = min(MAX_SAVED, self._saved + size)

    def begin_report(self) -> None:
        """Another report is read: one datagram, however many NACKs stand in it."""
        self._asked.clear()

    def read(self, lost: list[int]) -> list[int]:
        """Of a NACK's sequence numbers those that are new in this report, as many as one may ask for."""
        taken = [number for number in dict.fromkeys(lost) if number not in self._asked]
        taken = taken[: MAX_AGAIN - len(self._asked)]
        self.refused += len(lost) - len(taken)
        self._asked.update(taken)
        return taken

    def pay(self, size: int) -> bool:
        """Take a packet's bytes from what was saved; False: it may not be sent again."""
        if size > self._saved:
            self.refused += 1
            return False
        self._saved -= size
        self.sent += 1
        return True
