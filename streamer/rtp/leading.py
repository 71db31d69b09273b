"""Leading pictures: decoded after the picture with which decoding began, and shown before it (H.265 clause 3.77). Pure.

They may need what came before that picture, which was lost, or never here; a decoder that does not know makes up what
is missing. H.265 says of each whether it does (RASL or RADL). Elsewhere their times tell: RTP's are those at which
pictures are shown (RFC 6184 section 5.1), so a leading one goes back behind the first.
"""

from streamer.rtp.payload import Entry
from streamer.rtp.unit import Unit

MOST = 16
"""Pictures that may be shown before one that was decoded before them (max_dec_frame_buffering, H.264 clause A.3)."""
FURTHEST = 2
"""Seconds by which they may be; beyond, the sender's clock was set back."""


class Leading:
    """Of one sender."""

    def __init__(self, clock_rate: int) -> None:
        self._furthest = FURTHEST * clock_rate
        self.possible = False
        """Whether any may come: decoding began with the newest picture that needs no other."""
        self._began = 0
        self._by_time = False
        self._count = 0

    def begin(self, unit: Unit) -> None:
        """Decoding begins with a picture."""
        self.possible = self._by_time = True
        self._began, self._count = unit.timestamp, 0

    def has(self, unit: Unit) -> bool:
        """Whether a picture is one that needs what was before the first; ask only where it is `possible`."""
        before = (self._began - unit.timestamp) % (1 << 32)
        if unit.entry is Entry.KEY:
            self.possible = False  # what leads another key picture may need this one, and that is here
            return False
        if not before and unit.leads is None:
            return False  # its second field
        if self._by_time and not (0 < before <= self._furthest and self._count < MOST):
            self._by_time = False  # shown later than the first: none behind it is shown before that
            self.possible = unit.leads is not None
        if unit.leads is None:
            self._count += self._by_time
            return self._by_time
        return unit.leads
