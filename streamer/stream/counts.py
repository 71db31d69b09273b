"""What became of one stream's frames, in plain integers."""

import threading
from collections.abc import Collection, Iterable

MAX_LABELS = 1000
"""Labels told apart. Models come and go, each with names of its own, and memory and metrics would grow with them."""
OTHER = "(other)"
"""Where the rest is counted, and every class that the model has no name for."""


class Counts:
    """What happened to one stream's frames. Decoded = sampled + skipped, and sampled = results + dropped, always.

    Counted in the source's thread and on the event loop, by two threads of a source while one takes over from another.
    """

    def __init__(self) -> None:
        self.decoded = 0
        self.skipped = 0
        """Not chosen by the sampler, on purpose."""
        self.sampled = 0
        self.results = 0
        self.pictures = 0
        """That the model looked at for these: a frame, and each of its tiles."""
        self.dropped: dict[tuple[str, str], int] = {}
        """Samples lost, by stage and reason."""
        self.detections: dict[str, int] = {}
        """By label."""
        self._lock = threading.Lock()

    def take(self, *, sampled: bool) -> None:
        """Count a frame decoded."""
        with self._lock:
            self.decoded += 1
            self.sampled += sampled
            self.skipped += not sampled

    def answer(self, labels: Iterable[str], unnamed: Collection[str] = (), pictures: int = 1) -> None:
        """Count a sample answered, and what was seen in it; `unnamed` are the labels of classes without a name."""
        with self._lock:
            self.results += 1
            self.pictures += pictures
            for label in labels:
                known = label in self.detections or len(self.detections) < MAX_LABELS
                name = label if known and label not in unnamed else OTHER
                self.detections[name] = self.detections.get(name, 0) + 1

    def drop(self, stage: str, reason: str) -> None:
        """Count a sample lost."""
        with self._lock:
            self.dropped[stage, reason] = self.dropped.get((stage, reason), 0) + 1

    def drops(self) -> dict[tuple[str, str], int]:
        """Samples lost by now, by stage and reason."""
        with self._lock:
            return dict(self.dropped)
