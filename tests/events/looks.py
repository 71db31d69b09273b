"""Samples for the tests of events: things where they are said to be."""

from collections import defaultdict, deque
from collections.abc import Mapping

from streamer.values.event import Box
from streamer.values.sight import Look, Sight

NOON = 1_764_417_600.0
WIDTH, HEIGHT = 1000, 500
INTERVAL = 0.2


class Scene:
    """One stream; each look is the next sample."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self.pts = 0.0
        self._interval = interval
        self._scores: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=10))

    def look(self, found: Mapping[int, tuple[float, Box]] | None = None, *, label: str = "person") -> Look:
        """A sample that shows these, by tracker id: score and box. Below 0.5 is faint."""
        found = found or {}
        for number in self._scores:
            if number not in found:
                self._scores[number].append(0.0)
        sights = []
        for number, (score, box) in found.items():
            self._scores[number].append(score)
            scores = tuple(self._scores[number])
            sights.append(Sight(number, label, 1, score, box, scores, is_faint=score < 0.5))
        self.pts += self._interval
        return Look("porch", self.pts, NOON + self.pts, WIDTH, HEIGHT, "insulators", 2, tuple(sights))


def at(x: float, y: float = 0.5, size: float = 0.1) -> Box:
    """A box that stands at a point in 0..1."""
    return (x - size / 2) * WIDTH, y * HEIGHT - size * WIDTH, (x + size / 2) * WIDTH, y * HEIGHT
