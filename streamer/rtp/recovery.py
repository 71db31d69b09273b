"""With which picture decoding may begin, at first and after a loss, and from which on pictures are right. Pure.

A key picture, or a recovery point. Some encoders send neither after their first picture: those whose key pictures are
I pictures without a word about it, and those that refresh a strip of each picture and say nothing (gradual intra
refresh). Waiting for what never comes would show nothing for ever; so after `refresh_after` seconds an I picture will
do, and after twice that any picture, `REFRESH` seconds of which then are not whole.
"""

from streamer.rtp.payload import Entry

REFRESH = 4.0
"""Seconds within which encoders have refreshed the whole picture; one or two are usual. The stream does not tell."""


class Recovery:
    """Lets one sender's pictures through. Time is an argument."""

    def __init__(self, refresh_after: float | None) -> None:
        self.wanted = True
        """Whether nothing can come out before a picture to begin with."""
        self._refresh_after = refresh_after
        self._accepts = Entry.POINT
        """What it takes to begin. Lower once better was waited for in vain, until better comes."""
        self._waiting_since: float | None = None
        self._entered_at: float | None = None
        """When a key picture or a recovery point last came."""
        self._interval = 0.0
        """Seconds between two of them, the longest seen: a sender that sends them will send the next."""
        self._right_after = 0
        """Pictures that are not right yet."""
        self._right_at = 0.0
        """When pictures are right again."""

    @property
    def accepts(self) -> Entry:
        """The least with which decoding may begin now."""
        return self._accepts

    def lose(self) -> None:
        """Something is missing: begin again."""
        if not self.wanted:
            self.wanted, self._waiting_since = True, None

    def forget(self) -> None:
        """Another sender: nothing is known of its habits."""
        self.wanted, self._waiting_since, self._accepts = True, None, Entry.POINT
        self._entered_at, self._interval = None, 0.0

    def admits(self, entry: Entry, recovers_after: int, at: float) -> bool:
        """Whether a picture, whole as such, is let through; `at` is its arrival."""
        if entry >= Entry.POINT:
            self._accepts = Entry.POINT
            if self._entered_at is not None:
                self._interval = max(self._interval, at - self._entered_at)
            self._entered_at = at
        if self.wanted:
            self._despair(at)
            if entry < self._accepts:
                return False
            self.wanted = False
            self._right_after = recovers_after if entry is Entry.POINT else 0
            self._right_at = at + REFRESH if entry is Entry.NONE else at
        elif entry is Entry.KEY:
            self._right_after, self._right_at = 0, at
        elif entry is Entry.POINT and self._right_at > at:
            self._right_after, self._right_at = recovers_after, at
        elif self._right_after:
            self._right_after -= 1
        return True

    def is_right(self, at: float) -> bool:
        """Whether the picture just let through shows what was filmed, everywhere."""
        return not self._right_after and at >= self._right_at

    def _despair(self, at: float) -> None:
        """Take less when nothing better has come for long."""
        if self._waiting_since is None:
            self._waiting_since = at
        elif self._refresh_after is not None:
            waited = at - self._waiting_since
            if waited >= 2 * max(self._refresh_after, self._interval):
                self._accepts = Entry.NONE
            elif waited >= self._refresh_after:
                self._accepts = min(self._accepts, Entry.INTRA)
