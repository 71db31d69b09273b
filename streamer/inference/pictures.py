"""Pictures that people send, for which no camera waits: they are asked about where no frame is."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streamer.inference.slot import DropReason
from streamer.values.detections import Detections
from streamer.values.errors import Overloaded
from streamer.values.frame import Sample

BUSY: Final = 2.0
"""Seconds since a camera's frame was asked about in which pictures go one at a time: a frame waits for one at most."""
PATIENCE: Final = 30.0
"""Seconds that a picture may wait for its turn, and a call about some may take: no newer one takes its place."""
MOST_PICTURES: Final = 64
"""That wait; each is some hundred kB in the model's size."""

Answer = Callable[[Sample, Detections | DropReason], None]
"""Told once for every picture that was put in: its detections, or why there are none."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A picture that waits, and who wants the answer."""

    sample: Sample
    answer: Answer


class Pictures:
    """First come, first served; none takes another's place."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Add one.

        Raises:
            Overloaded: as many wait as may.
        """
        if len(self._waiting) >= MOST_PICTURES:
            raise Overloaded("too many pictures wait for the model", 5)
        self._waiting.append(pending)

    def expired(self, now: float) -> list[Pending]:
        """Those that have waited for PATIENCE, who wait no longer: cameras may leave no room for them at all."""
        over = list[Pending]()
        while self._waiting and now - self._waiting[0].sample.frame.received_at > PATIENCE:
            over.append(self._waiting.popleft())
        return over

    def take(self, most: int) -> list[Pending]:
        """The next batch."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
