"""A source's own timestamps made usable: seconds from the stream's first frame, never going back. Pure.

Cameras restart their clocks when they reconnect, jump by hours when NTP reaches them, and some send no timestamps at
all. The arrival clock judges: as long as both advance together the source's pts is kept exactly; where they part by
more than a second from one frame to the next, the timeline is laid anew from the arrival clock.
"""

MAX_JUMP = 1.0
"""Seconds by which pts and arrival may part before pts is disbelieved. Bursts after a stall stay below it mostly."""

DRIFT = 500e-6
"""Seconds per second by which a camera's clock may run slow against ours before it counts as lag."""


class Timeline:
    """Places one stream's frames in time. One thread."""

    def __init__(self) -> None:
        self._origin: float | None = None
        """What is added to a source pts to give the stream's time."""
        self._first_received_at: float | None = None
        self._last = -1.0
        self._least_delay = 0.0
        self._least_delay_at = 0.0

    def reopened(self) -> None:
        """The source was opened anew: its timestamps have nothing to do with those before."""
        self._origin = None

    def place(self, pts: float | None, received_at: float) -> float:
        """The frame's time in seconds from the stream's first frame.

        Args:
            pts: the source's own time in seconds, or None where it gives none.
            received_at: monotonic seconds of its arrival.
        """
        if self._first_received_at is None:
            self._first_received_at = received_at
        arrived = received_at - self._first_received_at
        if pts is None:
            self._origin = None
            return self._advance(arrived)
        placed = None if self._origin is None else pts + self._origin
        if placed is None or placed <= self._last or self._has_jumped(placed, arrived):
            placed = max(arrived, self._last + 1e-3)
            self._origin = placed - pts
            self._least_delay, self._least_delay_at = arrived - pts, received_at
        delay = arrived - pts
        if delay <= self._least_delay + DRIFT * (received_at - self._least_delay_at):
            self._least_delay, self._least_delay_at = delay, received_at
        return self._advance(placed)

    def lag(self, pts: float, received_at: float) -> float:
        """Seconds by which a packet came later than the promptest one so far: what waits in buffers on the way."""
        if self._origin is None or self._first_received_at is None:
            return 0.0
        drifted = DRIFT * (received_at - self._least_delay_at)
        return (received_at - self._first_received_at - pts) - (self._least_delay + drifted)

    def accept_delay(self, pts: float, received_at: float) -> None:
        """Take this packet's delay for the least there is: its way has become longer for good."""
        if self._first_received_at is not None:
            self._least_delay = received_at - self._first_received_at - pts
            self._least_delay_at = received_at

    def _has_jumped(self, placed: float, arrived: float) -> bool:
        """A late packet is lag, not a jump: pts goes on from the last frame while arrival runs ahead."""
        step = placed - self._last
        return step > MAX_JUMP and abs(step - (arrived - self._last)) > MAX_JUMP

    def _advance(self, placed: float) -> float:
        self._last = max(placed, self._last + 1e-3) if self._last >= 0 else placed
        return self._last
