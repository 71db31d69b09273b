"""A sender's RTP clock held against arrival, and mapped where it does not run at one second a second. Pure.

Some cameras count pictures at a nominal rate: they stamp 25 a second and send 24.5, 21 or 30, or half as many at night;
or they count milliseconds where ticks are due. Taken at its word such a clock is a delay that grows without end. What
tells it from a network's delays is that the least delay of each moment moves along a straight line: jitter and bursts
leave it where it was, for some packets always come through at once. A network that fills up slowly looks the same for a
while; its times are then stretched until it is empty again, and no picture is lost.

It stands before `values.timeline.Timeline`, which makes what comes out usable.
"""

from collections import deque
from dataclasses import dataclass

WINDOW = 0.35
"""Seconds over which the least delay is looked for."""
WINDOW_PICTURES = 6
"""Pictures at the least, so that one of them has come through at once."""
SPANS = (5, 7, 10, 14, 20, 28, 40, 56, 80, 112)
"""Windows in a row that may show a line. A slow drift needs many to stand out of what the network adds."""
LEAST_CHANGE = 0.6
"""Seconds by which the least delay must have moved. Less harms nobody: sources skip pictures from a second on."""
LEAST_CHANGE_MAPPED = 0.2
"""The same for a clock that is mapped already: the line was short, and is followed more closely as it grows."""
MOST_CHANGE = 1.0
"""Seconds by which a mapped clock's least delay may move before the mapping is taken for a mistake."""
LEAST_SLOPE = 0.004
"""Seconds a second below which a clock is honest: crystals are within 0.0001, 25 against 24.5 is 0.02."""
STRAIGHT = 0.12
"""Share of the change by which a window may lie off the line."""
NOISE = 2.0
"""How many times the spread within windows the change must be."""
HONEST = 0.003
"""A rate that near to 1 is 1."""
MAX_JUMP = 2.0
"""Seconds by which two pictures in a row may part from arrival; beyond, the clock was set anew, which shows no rate."""


@dataclass(slots=True)
class _Window:
    """What the delays of some pictures were."""

    begun: float
    """Arrival of its first."""
    at: float
    """Arrival of the one that was delayed least."""
    least: float
    most: float
    pictures: int = 1

    def take(self, delay: float, arrival: float) -> None:
        """Take one more into account."""
        if delay < self.least:
            self.at, self.least = arrival, delay
        elif delay > self.most:
            self.most = delay
        self.pictures += 1


class RtpClock:
    """One sender's clock. Time is an argument."""

    def __init__(self) -> None:
        self.rate = 1.0
        """Seconds that pass while the sender's clock counts one. 1.0: it is honest."""
        self._origin: tuple[float, float] | None = None
        """A moment by the sender's clock, and by ours as it comes out."""
        self._last: tuple[float, float] = (0.0, 0.0)
        """The newest picture, as it came out and its arrival."""
        self._windows: deque[_Window] = deque(maxlen=max(SPANS))
        self._window: _Window | None = None
        self._least = 0.0
        """The least delay when the rate was found."""

    def place(self, pts: float, arrival: float) -> float:
        """A picture's time, in seconds that pass as fast as ours; an honest clock's is given back as it is.

        Args:
            pts: seconds of the sender's clock.
            arrival: monotonic seconds.
        """
        if self._origin is None:
            self._origin = pts, pts
            self._last = pts, arrival
        placed = self._map(pts)
        if abs((placed - self._last[0]) - (arrival - self._last[1])) > MAX_JUMP:
            self._windows.clear()
            self._window = None
        self._last = placed, arrival
        if self._note(arrival - placed, arrival):
            return self._map(pts)
        return placed

    def _map(self, pts: float) -> float:
        if self.rate == 1.0 and self._origin is not None and self._origin[0] == self._origin[1]:
            return pts
        before, after = self._origin or (pts, pts)
        return after + (pts - before) * self.rate

    def _note(self, delay: float, arrival: float) -> bool:
        """Take a picture's delay into account; returns whether the mapping has changed for it."""
        window = self._window
        if window is None:
            self._window = _Window(arrival, arrival, delay, delay)
            return False
        if arrival - window.begun < WINDOW or window.pictures < WINDOW_PICTURES:
            window.take(delay, arrival)
            return False
        self._windows.append(window)
        self._window = _Window(arrival, arrival, delay, delay)
        moved = window.least - self._least
        if self.rate != 1.0 and abs(moved) > MOST_CHANGE:
            self._map_anew(1.0, delay, arrival, moved)
            return True
        return any(self._look(span, delay, arrival) for span in SPANS if len(self._windows) >= span)

    def _look(self, span: int, delay: float, arrival: float) -> bool:
        """Look for a line through the last windows, and follow it."""
        windows = list(self._windows)[-span:]
        first, last = windows[0], windows[-1]
        change, seconds = last.least - first.least, last.at - first.at
        least_change = LEAST_CHANGE if self.rate == 1.0 else LEAST_CHANGE_MAPPED
        if seconds <= 0 or abs(change) < least_change or abs(change) < LEAST_SLOPE * seconds:
            return False
        slope = change / seconds
        # A drift spreads the delays within a window by itself; only what is beyond it is the network's.
        noise = max(w.most - w.least - abs(slope) * WINDOW for w in windows)
        off = max(abs(w.least - first.least - slope * (w.at - first.at)) for w in windows)
        if abs(change) < NOISE * noise or off > STRAIGHT * abs(change):
            return False
        rate = self.rate / max(1 - slope, 1e-3)
        self._map_anew(1.0 if abs(rate - 1) < HONEST else rate, delay, arrival, change)
        return True

    def _map_anew(self, rate: float, delay: float, arrival: float, change: float) -> None:
        """Change the rate from this picture on; `change` of its delay was the clock's, not the network's."""
        placed = arrival - delay
        before, after = self._origin or (placed, placed)
        pts = before + (placed - after) / self.rate
        # Given back at once, even where times go back by it: the timeline is made for that.
        self.rate, self._origin = rate, (pts, placed + change)
        self._last, self._least = (placed + change, arrival), delay - change
        self._windows.clear()
        self._window = None
