"""Where the camera looked at each moment of the last minutes: its motions added up, and its cuts.

Written in the source's thread, read on the event loop.
"""

import threading
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from streamer.tracking.similarity import STILL, Similarity

MOST = 512
"""Moments remembered."""
REMEMBERED = 30.0
"""Seconds. Two samples further apart have no common past: all tracks end."""
FINE = 2.0
"""Seconds of which every frame is remembered, and of what is older one every COARSE seconds."""
COARSE = 0.25
STANDS = 10.0
"""Seconds without motion after which a camera is one that stands still."""
SWAY = 0.01
"""Of the picture's width: what a camera that stands may sway by."""


@dataclass(frozen=True, slots=True)
class _Moment:
    scene: int
    """Counts cuts."""
    place: Similarity
    """From the picture that this record begins with to this moment's, were there no cut."""


class CameraPath:
    """The path of one camera."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._moments: list[_Moment] = []
        self._scene = 0

    def __len__(self) -> int:
        return len(self._times)

    def add(self, pts: float, step: Similarity | None) -> None:
        """The frame at `pts` is there; `step`: the motion since the one before, in pixels of the frame; None: a cut."""
        with self._lock:
            if self._times and pts <= self._times[-1]:
                return
            if step is None:
                self._scene += 1
            before = self._moments[-1].place if self._moments else STILL
            self._times.append(pts)
            self._moments.append(_Moment(self._scene, (step or STILL).after(before)))
            if len(self._times) > MOST:
                self._thin(pts)

    def between(self, start: float, end: float) -> Similarity | None:
        """Where the points of the picture at `start` are in that at `end`, which may be earlier.

        None: there was a cut in between, or `start` is forgotten. Where nothing is known yet nothing moved.
        """
        with self._lock:
            if not self._times:
                return STILL
            one, two = self._at(start), self._at(end)
        if one is None or two is None or one.scene != two.scene:
            return None
        return STILL if one.place == two.place else two.place.after(one.place.inverse())

    def stands(self, pts: float, width: float) -> bool:
        """Whether the camera has not moved for the last seconds before `pts`; `width`: the picture's, in pixels."""
        middle = complex(width / 2, width / 4)
        for back in np.arange(1, STANDS + 1):
            moved = self.between(pts - float(back), pts)
            if moved is None or abs(moved.point(middle) - middle) + abs(moved.scale - 1) * width > SWAY * width:
                return False
        return len(self) > 0

    def _at(self, pts: float) -> _Moment | None:
        """The moment at `pts`: between two of one scene in proportion."""
        index = bisect_right(self._times, pts + 1e-6) - 1
        if index < 0:
            return None
        moment, after = self._moments[index], self._moments[min(index + 1, len(self._moments) - 1)]
        elapsed = pts - self._times[index]
        if elapsed <= 1e-6 or after is moment or after.scene != moment.scene or after.place == moment.place:
            return moment
        share = elapsed / (self._times[index + 1] - self._times[index])
        step = after.place.after(moment.place.inverse())
        return _Moment(moment.scene, step.part(share).after(moment.place))

    def _thin(self, now: float) -> None:
        """Forget what is too old, and most of what is not new; count anew from what is oldest then."""
        keep: list[int] = []
        for index, (pts, moment) in enumerate(zip(self._times, self._moments, strict=True)):
            fine = pts >= now - FINE or not keep or moment.scene != self._moments[keep[-1]].scene
            if pts >= now - REMEMBERED and (fine or pts >= self._times[keep[-1]] + COARSE):
                keep.append(index)
        keep = keep[-MOST * 3 // 4 :]
        origin = self._moments[keep[0]].place.inverse()
        self._times = [self._times[index] for index in keep]
        self._moments = [
            _Moment(self._moments[index].scene, self._moments[index].place.after(origin)) for index in keep
        ]
