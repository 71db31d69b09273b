"""Where a sender's sound stands beside its pictures, whose RTP clocks begin anywhere (RFC 3550 section 5.1). Pure.

At first by when both came; once reports have told the wall clock of both (section 6.4.1), by that, where the two agree
roughly: some cameras stamp reports to the second. From then on sound goes by its own clock.
"""

AGREED = 0.5
"""Seconds by which what reports tell and what arrival tells may part for the reports to be believed."""
CLOSE = 0.02
"""Seconds by which sound may be off without anybody noticing: it is not moved for less."""
MOST_OFF = 1.0
"""Seconds by which sound may come other than its clock says, before that was set anew: bursts stay below mostly."""


class Alignment:
    """Of one sender's sound."""

    def __init__(self) -> None:
        self._picture: tuple[float, float] | None = None
        self._offset: float | None = None
        self._reported = False
        """Whether the offset is what reports tell."""

    def pictured(self, pts: float, arrival: float) -> None:
        """A picture has come; its time as it is handed on, in seconds."""
        self._picture = pts, arrival

    def place(self, seconds: float, arrival: float, reported: float | None) -> float | None:
        """When sound is heard, in seconds of the pictures' clock; None before there is a picture.

        Args:
            seconds: by the clock of the sound.
            arrival: monotonic seconds.
            reported: the same as reports tell it, in seconds of the pictures' clock; None: they do not.
        """
        if self._picture is None:
            return None
        came = self._picture[0] + arrival - self._picture[1]
        if self._offset is None or abs(seconds + self._offset - came) > MOST_OFF:
            self._offset, self._reported = came - seconds, False
        if not self._reported and reported is not None and abs(reported - came) < AGREED:
            self._reported = True
            if abs(seconds + self._offset - reported) > CLOSE:
                self._offset = reported - seconds
        return seconds + self._offset
