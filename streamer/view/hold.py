"""How long pictures wait for their boxes: what the answers of the last moments took, soon after a stall too. Pure.

The hold is the answers' median and what is bearable of their spread. A late answer costs its own picture its own boxes,
which the tracker then moves on from the sample before; a hold that waits for the latest of them costs every picture of
the stream its time. docs/design/overlay.md has the figures.
"""

from collections import deque
from statistics import median_low

MOST = 0.5
"""Seconds. A slower model than this shows its boxes late instead of the picture."""
MARGIN = 0.005
"""Seconds from an answer to its being known where pictures are taken: the tracker and a turn of the event loop."""
SPREAD = 0.03
"""Seconds above the median at most that are waited for late answers."""
SHARE = 0.9
"""Of the answers, waited for where their spread is bearable."""
WINDOW = 1.4
"""Seconds for which an answer counts: half of it after a stall the median is of what came since."""
LEAST = 3
"""Answers that count however long ago they came."""
MEMORY = 256
"""Answers that count at most."""
SLOWER = 0.1
"""Seconds by which it grows in a second: the video is then played by so much too slowly."""
FASTER = 0.1
"""Seconds by which it falls in a second at least, while it is too long."""
FASTEST = 0.5
"""Seconds by which it falls in a second at most: after a stall the video is seen to catch up, for a second."""
EASE = 0.2
"""Seconds in which the most of a distance is made good, between those two speeds."""


class Hold:
    """The hold of one stream."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """What it is now: 0 to MOST."""
        self.wanted = 0.0
        """What the answers of the last moments ask for."""
        self._answers: deque[tuple[float, float]] = deque(maxlen=MEMORY)
        """(when it came, what it took) of each that counts, oldest first."""
        self._moved_at: float | None = None

    def answered(self, latency: float, at: float) -> None:
        """An answer came at `at`, `latency` seconds after its frame had arrived. Both in monotonic seconds."""
        self._answers.append((at, max(0.0, latency)))
        while len(self._answers) > LEAST and self._answers[0][0] < at - WINDOW:
            self._answers.popleft()
        took = sorted(latency for _, latency in self._answers)
        usual, late = median_low(took), took[int(SHARE * (len(took) - 1))]
        self.wanted = min(MOST, usual + min(late - usual, SPREAD) + MARGIN)

    def move(self, at: float) -> None:
        """Follow what is wanted, at a speed that is hardly seen, as pictures arrive at `at`; at once the first time."""
        elapsed = 0.0 if self._moved_at is None else max(0.0, at - self._moved_at)
        self._moved_at = at if self._moved_at is None else max(at, self._moved_at)
        missing = self.wanted - self.seconds
        if not self.seconds or elapsed > MOST:
            self.seconds = self.wanted
        elif missing > 0:
            self.seconds += min(missing, SLOWER * elapsed)
        else:
            speed = min(FASTEST, max(FASTER, -missing / EASE))
            self.seconds += max(missing, -speed * elapsed)
