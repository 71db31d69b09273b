"""The boxes of recorded pictures: on one that the model saw its own; on those between, where things were on their way.

The page does the same (web/recorded_boxes.js), so that a video in which boxes are drawn shows what the page shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from streamer.values.track import TrackedBox

Sample = tuple[int, Sequence[TrackedBox]]
"""When its picture is shown, in microseconds, and what was drawn on it."""

SAME = 1000
"""Two times of one picture differ by less, microseconds: files and samples are rounded each for themselves."""
STAYING = 1.5
STAYING_TIME = 300_000
"""As live boxes are: without a new answer they stay one and a half intervals and this, microseconds."""
FOLLOWED = 2.5
"""Intervals: where an answer is missing between two samples, things are still followed from one to the other."""
USUAL = 200_000
"""What is taken for the time between two samples where it cannot be known."""


def usual_step(times: Sequence[int]) -> int:
    """Microseconds from one sample to the next, as a rule."""
    steps = sorted(after - before for before, after in pairwise(times))
    return steps[len(steps) // 2] if steps else USUAL


class BoxesAt:
    """Of a span; asked for one picture after the other, and read no further than to the sample behind it."""

    def __init__(self, samples: Iterable[Sample], usual: int = USUAL) -> None:
        """Take these.

        Args:
            samples: in order.
            usual: microseconds from one to the next, as a rule.
        """
        self._samples, self._usual = iter(samples), usual
        self._before: Sample | None = None
        self._after = next(self._samples, None)

    def at(self, time: int) -> list[TrackedBox]:
        """What is drawn on the picture that is shown then. Times rise from one call to the next."""
        while self._after is not None and self._after[0] <= time:
            self._before, self._after = self._after, next(self._samples, None)
        return _between(time, self._before, self._after, self._usual)


def _between(time: int, before: Sample | None, after: Sample | None, usual: int) -> list[TrackedBox]:
    if after is not None and after[0] - time <= SAME:
        return list(after[1])  # its own: rounded to lie just behind it
    if before is None:
        return []
    if time - before[0] <= SAME:
        return list(before[1])
    if after is None or after[0] - before[0] > FOLLOWED * usual + SAME:
        return list(before[1]) if time - before[0] <= STAYING * usual + STAYING_TIME else []
    share = (time - before[0]) / (after[0] - before[0])
    then = {box.tracker_id: box for box in after[1]}
    return [_on_its_way(box, then.get(box.tracker_id) if box.tracker_id else None, share) for box in before[1]]


def _on_its_way(box: TrackedBox, then: TrackedBox | None, share: float) -> TrackedBox:
    if then is None:
        return box
    x_min, y_min, x_max, y_max = (edge + (later - edge) * share for edge, later in zip(box.box, then.box, strict=True))
    return replace(box, box=(x_min, y_min, x_max, y_max))
