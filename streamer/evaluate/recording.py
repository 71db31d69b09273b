"""What viewers saw of one pass of a clip: every frame that was shown, with the boxes drawn on it, and every answer.

During the pass all is written down as it comes; which frame of the clip each was is found out afterwards. The pictures
say where in the stream's time the clip began: a camera stands still before it, and nobody knows for how many frames.
"""

import bisect
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamer.evaluate.clip import Clip, fingerprint
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.track import TrackedBox


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame as viewers saw it."""

    boxes: tuple[TrackedBox, ...]
    """Those of which something was to be seen, cut off where the picture ends."""
    picture_age: float
    """Seconds from its arrival to its being drawn and encoded."""
    result_age: float | None
    """Seconds to the same moment from the arrival of the sampled frame whose boxes it carries, as they are or moved on;
    None where no sample up to this frame had been answered."""
    noticed: bool
    """Whether it was written on the picture that results were missing."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of a clip, by the numbers of its frames."""

    shown: dict[int, Shown]
    answered: dict[int, Detections]
    """What the model said of the sampled frames."""
    unknown: int
    """Frames shown between the clip's first and last that are none of its own."""


class Recording:
    """Writes down what a view shows, on the event loop."""

    def __init__(self, clock: Clock) -> None:
        self.samples = 0
        """Answers so far."""
        self.newest: float | None = None
        """The time of the newest frame shown, in seconds from the stream's first."""
        self._clock = clock
        self._shown: list[tuple[float, int, Shown]] = []
        """(pts, fingerprint, what was seen)."""
        self._answered: list[tuple[float, int, Detections]] = []
        self._arrivals: list[tuple[float, float]] = []
        """(pts, arrival) of every answered sample, rising."""

    def answered(self, frame: Frame, detections: Detections) -> None:
        """A sampled frame's detections came."""
        self.samples += 1
        bisect.insort(self._arrivals, (frame.pts, frame.received_at))
        self._answered.append((frame.pts, fingerprint(frame.picture), detections))

    def shown(self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> None:
        """A frame was published with these boxes drawn on it."""
        now, self.newest = self._clock(), frame.pts
        newest = bisect.bisect_right(self._arrivals, (frame.pts + 1e-6, float("inf")))
        seen = Shown(
            boxes=visible(boxes, frame.width, frame.height),
            picture_age=now - frame.received_at,
            result_age=now - self._arrivals[newest - 1][1] if newest else None,
            noticed=notice is not None,
        )
        self._shown.append((frame.pts, fingerprint(frame.picture), seen))

    def find(self, clip: Clip, begins_at: float) -> Pass:
        """The pass of a clip in what was written down.

        Args:
            clip: what was played.
            begins_at: about when its first frame came, in seconds from the stream's first. The pictures that the clip
                has only once say it exactly; where nothing moves there is none, and then this holds.
        """
        offsets = [
            pts - float(clip.times[number])
            for pts, found, _ in self._shown
            if (number := clip.only_with(found)) is not None
        ]
        begins_at = statistics.median(offsets) if offsets else begins_at
        shown: dict[int, Shown] = {}
        unknown = 0
        for pts, found, seen in self._shown:
            if clip.plays_at(pts - begins_at):
                number = clip.number_of(found, pts - begins_at)
                if number is None:
                    unknown += 1
                else:
                    shown[number] = seen
        answered = {
            number: detections
            for pts, found, detections in self._answered
            if clip.plays_at(pts - begins_at) and (number := clip.number_of(found, pts - begins_at)) is not None
        }
        return Pass(shown, answered, unknown)


def visible(boxes: Sequence[TrackedBox], width: int, height: int) -> tuple[TrackedBox, ...]:
    """What is to be seen of boxes in a picture: a tracker moves them on over its border, and there nothing is drawn."""
    seen = []
    for box in boxes:
        x_min, y_min, x_max, y_max = box.box
        edges = (max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width)), min(y_max, float(height)))
        if edges[0] < edges[2] and edges[1] < edges[3]:
            seen.append(replace(box, box=edges))
    return tuple(seen)
