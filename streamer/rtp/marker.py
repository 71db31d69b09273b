"""Where a sender's pictures end: at the marker bit (RFC 6184 section 5.1), if its habit is to set it there. Pure.

Cameras exist that never set it, and some that set it on every packet, or behind every slice. Their pictures end where
the timestamp changes, an interval later. So a camera's first picture is held back until the next one has begun: if that
has another time, and there was a packet without a marker, the marker is believed from then on; where pictures are a
single packet, after `SINGLES` of them.
"""

from typing import Literal

from streamer.rtp.unit import Unit

MarkerHabit = Literal["normal", "never", "always"]

SINGLES = 8
"""Pictures of a single packet after which their markers are believed, and orderly ones after which they are again."""
UNMARKED = 2
"""Pictures without a marker, none having come at all, after which it is said that none is set."""


class Marker:
    """What one sender's markers mean."""

    def __init__(self, *, believed: bool) -> None:
        self.habit: MarkerHabit = "normal"
        """For the doctor: also "normal" while nothing else is known."""
        self._believed = believed
        self._seen = False
        self._count = 0

    def ends(self) -> bool:
        """Whether a marker that has come is its picture's end."""
        self._seen = True
        if self.habit == "never":
            self.habit, self._count = "normal", 0
        if self.habit == "always":
            return False
        return self._believed

    def went_on(self) -> None:
        """A picture went on behind a marker: from now on the timestamp decides."""
        self.habit, self._count = "always", 0

    def ended_by_time(self, unit: Unit) -> None:
        """A sound unit ended where the next one's timestamp was another."""
        if not self._seen:
            self._count += 1
            if self._count >= UNMARKED:
                self.habit = "never"
        elif self.habit == "always":
            orderly = unit.marked and unit.marks == 1
            self._count = 0 if unit.marks > 1 else self._count + (orderly and unit.packets > 1)
            if self._count >= SINGLES:
                self.habit, self._count = "normal", 0
        elif unit.marked:
            self._count += 1
            self._believed = self._believed or unit.packets > unit.marks or self._count >= SINGLES
