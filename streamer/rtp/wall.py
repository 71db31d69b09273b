"""A camera's wall clock, as its RTCP sender reports tell it. Pure; believed only where it can be."""

from streamer.rtp.reports import SenderReport

LEAST = 1_577_836_800.0
"""2020, in Unix seconds: what is older is a clock that was never set."""
AHEAD = 86_400.0
"""Seconds that a clock may be ahead of ours: a time zone put into it, and some."""
STEADY = 0.05
"""Share by which the wall clock and the RTP clock may part between two reports."""
SLACK = 0.5
"""Seconds by which they may besides: reports are stamped when they are written, by some cameras to the second."""


class Wall:
    """One sender's wall clock."""

    def __init__(self, clock_rate: int = 90_000) -> None:
        self.reason: str | None = "the camera has sent no report of its clock"
        """Why the clock is not believed, as a sentence; None where it is."""
        self._clock_rate = clock_rate
        self._report: SenderReport | None = None

    def take(self, report: SenderReport, now: float) -> None:
        """Take a report; `now` is our own wall clock in Unix seconds."""
        before, self._report = self._report, report
        if not report.ntp:
            self.reason = "the camera's reports say that it has no wall clock"
        elif not LEAST <= report.wall <= now + AHEAD:
            self.reason = "the camera's wall clock is not set"
        elif before is None or not before.ntp:
            self.reason = None
        else:
            passed = report.wall - before.wall
            counted = self._ticks(before, report.timestamp) / self._clock_rate
            steady = abs(passed - counted) <= SLACK + STEADY * abs(passed)
            self.reason = None if steady else "the camera's wall clock and the clock of its pictures part"

    def at(self, pts: float) -> float | None:
        """Unix seconds by the camera's clock of a picture's `pts`, or None where the clock is not believed.

        Args:
            pts: seconds as `Picture.pts` has them: of the RTP clock, unmapped.
        """
        if self.reason is not None or self._report is None:
            return None
        return self._report.wall + self._ticks(self._report, round(pts * self._clock_rate)) / self._clock_rate

    @staticmethod
    def _ticks(report: SenderReport, timestamp: int) -> int:
        """Ticks from a report to a timestamp, at the most half of their 32 bits away."""
        return (timestamp - report.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
