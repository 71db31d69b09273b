"""The newest answered samples, and where everything is in any frame near them."""

from typing import Final

import numpy as np

from streamer.tracking.camera_path import CameraPath
from streamer.tracking.moment import Moment, edged
from streamer.tracking.similarity import Boxes
from streamer.values.track import TrackedBox

REMEMBERED: Final = 1.0
"""Seconds of samples kept, and MOST at the most: a frame may be shown after newer samples were answered."""
MOST: Final = 32
COAST: Final = 0.3
"""Seconds since it was found for which a missed thing is shown, when STEADY samples found it before."""
STEADY: Final = 3
REACH: Final = 1.5
"""Sample intervals, and COAST more, after which nothing is shown where no sample is answered any more."""
LONE_INTERVAL: Final = 0.5
"""Seconds between samples, while there is but one."""
SAME: Final = 1e-6
"""Seconds within which two times are one frame's."""


class History:
    """The moments of one stream."""

    def __init__(self, path: CameraPath) -> None:
        self._path = path
        self._moments: list[Moment] = []

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def newest(self) -> Moment | None:
        """Of the newest sample."""
        return self._moments[-1] if self._moments else None

    @property
    def interval(self) -> float:
        """Seconds between samples, as they come."""
        if len(self._moments) < 2:
            return LONE_INTERVAL
        return (self._moments[-1].pts - self._moments[0].pts) / (len(self._moments) - 1)

    def after(self, pts: float) -> list[Moment]:
        """Those of all samples after `pts`, the oldest first; none where so old ones are forgotten, or it is known."""
        if not any(moment.pts < pts for moment in self._moments) or any(moment.pts == pts for moment in self._moments):
            return []
        return [moment for moment in self._moments if moment.pts > pts]

    def add(self, moment: Moment) -> None:
        """A newer sample was answered."""
        near = [each for each in self._moments if each.pts >= moment.pts - REMEMBERED]
        self._moments = [*(near or self._moments[-1:])[1 - MOST :], moment]

    def clear(self) -> None:
        """Forget them."""
        self._moments.clear()

    def at(self, pts: float) -> list[TrackedBox]:
        """Where everything is in the frame at `pts`."""
        number = sum(moment.pts <= pts + SAME for moment in self._moments) - 1
        if number < 0:
            return []
        moment = self._moments[number]
        later = self._moments[number + 1] if number + 1 < len(self._moments) else None
        camera = self._path.between(moment.pts, pts)
        if camera is None or (later is None and pts > moment.pts + REACH * self.interval + COAST):
            return []
        edges = moment.edges
        if pts > moment.pts + SAME:
            boxes = moment.carried(camera, pts - moment.pts, self.interval)
            edges = edged(boxes if later is None else self._between(moment, later, boxes, pts))
        shown = np.nonzero(moment.until >= pts - SAME)[0]
        return [
            TrackedBox(tracker_id, (x_min, y_min, x_max, y_max), label, class_id, score)
            for row, (x_min, y_min, x_max, y_max) in zip(shown.tolist(), edges[shown].tolist(), strict=True)
            for tracker_id, label, class_id, score in (moment.looks[row],)
        ]

    def _between(self, moment: Moment, later: Moment, boxes: Boxes, pts: float) -> Boxes:
        """Between two samples, whatever both show on the way from one to the other; else as in `boxes`."""
        ahead, back = self._path.between(moment.pts, pts), self._path.between(later.pts, pts)
        if ahead is None or back is None:  # a cut: what comes after it tells nothing of what was before
            return boxes
        rows, there = later.rows_of(moment.ids)
        there = there & np.isinf(np.append(later.until, 0)[rows])
        share = (pts - moment.pts) / (later.pts - moment.pts)
        way = ahead.boxes(moment.drawn())
        way[there] += (back.boxes(later.drawn())[rows[there]] - way[there]) * share
        return np.where(there[:, np.newaxis], way, boxes)
