"""When a picture is due that did not come as it happened: of a file, of a recording on a web server, of HLS. Pure."""

LATE = 0.5
"""Seconds by which a picture may be late before its lateness is accepted: a disk or a network was slow."""
JUMP = 10.0
"""Seconds by which time may go on between two pictures; more is a cut."""


class Pace:
    """The pace of one source."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        """Seconds from one picture to the next, for where its own times do not tell."""
        self._anchor: float | None = None
        """What is added to a picture's time to give the monotonic time at which it is due."""
        self._last = (0.0, 0.0)
        """(time, due) of the picture before."""

    def due(self, time: float | None, now: float) -> float:
        """Monotonic seconds at which to show a picture; `time` is its own, in seconds.

        Where time goes back the recording has begun again, and the picture follows the one before.
        """
        last_time, last_due = self._last
        if time is None:
            time = last_time + self._interval
        if self._anchor is None:
            self._anchor = now - time
        elif not 0 < time - last_time < JUMP:
            self._anchor = last_due + self._interval - time
        if self._anchor + time < now - LATE:
            self._anchor = now - time
        self._last = (time, self._anchor + time)
        return self._anchor + time
