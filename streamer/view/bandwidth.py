"""What viewers' lines take, and how many bits a second a picture for all of them may have. Pure.

A receiver's estimate says little while it is sent little: it grows with what comes (libwebrtc: to one and a half times
that), so a still scene looks like a thin line. It counts where it lies below what was sent: then the line is full.
"""

import math
from collections.abc import Sequence

LEAST = 150_000.0
"""Bits a second below which no line pulls the picture of all: it would be one of which nothing is to be made out."""
MOST = 10e6
"""Bits a second that every encoder stays below: a line that takes them has no bound."""
GROWTH = 0.03
"""By which a bound grows in a second without news: a line that recovers is used again within a minute."""
BEARABLE_LOSS = 0.1
"""Of packets; what is lost beyond is taken for a full line, as congestion control on loss has it (RFC 8698, GCC)."""
LEFT_OUT = 3
"""One of so many viewers is left out, who has the thinnest line."""
AT_LEAST_OF_MIDDLE = 0.5
"""The middle viewer keeps so much of what his line takes."""
INTERVAL = 3.0
"""Seconds between two changes at least, since each costs everybody a keyframe."""
GROWING_INTERVAL = 10.0
"""… and before one upwards."""
NOTEWORTHY = 0.15
"""A smaller change is none."""
MEMORY = 1.0
"""Seconds over which it is counted what was sent."""


class Sent:
    """Bits a second that were sent of late."""

    def __init__(self) -> None:
        self._bits = 0.0
        self._at = -math.inf

    def add(self, size: int, at: float) -> None:
        """So many bytes were sent at `at`."""
        self._bits = self.at(at) * MEMORY + 8 * size
        self._at = max(self._at, at)

    def at(self, now: float) -> float:
        """Bits a second, of about the last second."""
        return self._bits / MEMORY * math.exp(-max(0.0, now - self._at) / MEMORY) if self._bits else 0.0


class Bandwidth:
    """What one viewer's line takes, as his reports say."""

    def __init__(self) -> None:
        self._bound = math.inf
        self._since = 0.0

    def at(self, now: float) -> float:
        """Bits a second; infinity while nothing says that there is a bound."""
        grown = self._bound * math.exp(GROWTH * min(max(0.0, now - self._since), 600.0))
        return grown if grown < MOST else math.inf

    def reported(self, rate: float, sent: float, now: float) -> None:
        """The receiver takes `rate` bits a second, by its own estimate; `sent` were sent to it."""
        if rate < sent or rate > self.at(now):
            self._bind(rate, now)

    def lost(self, share: float, sent: float, now: float) -> None:
        """The receiver lost this share of the packets since it told so last, 0 to 1."""
        if share > BEARABLE_LOSS:
            self._bind(min(sent * (1 - share / 2), self.at(now)), now)

    def _bind(self, bound: float, now: float) -> None:
        self._bound, self._since = max(LEAST, bound), now


class Ceiling:
    """How many bits a second the picture for all viewers may have: changed seldom, since a change costs a keyframe."""

    def __init__(self) -> None:
        self.bits = math.inf
        """A second; infinity: as many as a picture is worth."""
        self._changed_at = -math.inf

    def follow(self, lines: Sequence[float], worth: float, now: float) -> float:
        """What it is now, by what each viewer's line takes.

        Args:
            lines: bits a second of each.
            worth: bits a second that a picture of this size is given where no line is in the way.
            now: monotonic seconds.
        """
        wanted = shared([min(line, worth) for line in lines]) if lines else worth
        change = wanted / min(self.bits, worth)
        interval = INTERVAL if change < 1 else GROWING_INTERVAL
        if abs(change - 1) >= NOTEWORTHY and now - self._changed_at >= interval:
            self.bits, self._changed_at = wanted if wanted < worth else math.inf, now
        return min(self.bits, worth)


def shared(lines: Sequence[float]) -> float:
    """What one picture for all may have: what two of three lines take, and half of the middle one's at least.

    The thinnest third is left out: one bad line must not spoil it for all. Of two viewers the thinner one is heard,
    but costs the other no more than half.
    """
    thinnest_first = sorted(lines)
    heard = thinnest_first[len(lines) // LEFT_OUT]
    return max(heard, AT_LEAST_OF_MIDDLE * thinnest_first[len(lines) // 2])
