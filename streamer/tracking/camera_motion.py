"""How the camera moved from one picture to the next: one shift, turn and scale for all of the picture. Pure.

Corners are followed by their pyramids (Lucas and Kanade, in OpenCV), and what most of them agree on is the camera's
motion (RANSAC). Where they agree on nothing, and most of the picture is neither where it was nor anywhere else, there
was a cut.
"""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.plane import Plane, exposed_as, half_stays, repeats, shift_between, stays
from streamer.tracking.similarity import STILL, Similarity

CORNERS = 100
"""Followed at most."""
QUALITY = 0.003
"""Of the weakest corner against the strongest: few ask for texture so faint, but bare asphalt must hold some too."""
APART = 14
"""Pixels of the plane between two corners, so that all of the picture is heard."""
CORNERS_LAST = 5
"""Pictures through which the same corners are followed; looking for new ones costs as much as following them."""
STANDS = 5
"""Pictures that are measured against the same one while nothing moves, so that a slow pan comes to be seen."""
FEWEST = 10
"""Corners without which there is nothing to agree on."""
AGREE = 0.35
"""Share of the corners that must move as one."""
EXACT = 1.0
"""Pixels of the plane within which a corner agrees."""
LEAST_MOVE = 0.12
"""Pixels of the plane, the median corner's, below which the camera stands still."""
SAME_SCENE = 0.18
"""Sureness of a shift from which on two pictures show one scene. At 720 cuts it was 0.115 at most; where no corners
agreed, half of the picture had changed and there was none, 0.245 at least, and in noise of 16 grey levels 0.2."""
MUCH = 2.0
"""Pixels of the plane that its middle moves, and its corners against it by turn and scale: a camera that stands sways
by less."""
CALM = 25
"""Steps without that after which a camera is taken for one that stands, until more of the picture says otherwise."""
MOST_SCALE = 1.5
"""By which a picture may grow or shrink from one to the next; more is a fit to nothing."""

LOOK = {
    "winSize": (11, 11),
    "maxLevel": 3,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03),
    "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
}

Points = NDArray[np.float32]
"""[N, 1, 2]: x, y in pixels of the plane."""


class CameraMotion:
    """Follows one camera, plane by plane."""

    def __init__(self) -> None:
        self._before: Plane | None = None
        """What motion is measured against: the plane before, or an older one since which nothing has moved."""
        self._last: Plane | None = None
        """The plane before."""
        self._corners: Points | None = None
        self._age = 0
        """Steps measured with these corners."""
        self._stood = 0
        """Planes measured against the same one."""
        self._calm = 0
        """Steps without much motion."""

    def stride(self, planes: Sequence[Plane]) -> list[tuple[int, Similarity | None]]:
        """The motions to the newest of several planes that follow each other, by number of the plane each leads to.

        All at once where that can be told, else one by one: over several pictures so much changes that it looks like a
        cut. Each is as `step` gives it.
        """
        leap = self._measured(planes[-1]) if len(planes) > 1 else None
        if leap is not None:
            self._last = planes[-1]
            return [(len(planes) - 1, leap)]
        return [(number, self.step(plane)) for number, plane in enumerate(planes)]

    def step(self, plane: Plane) -> Similarity | None:
        """The motion since the plane given last, in pixels of the plane, from its upper left edge.

        None where there is none: after a cut, another size, or at the beginning. Where the motion cannot be told it is
        taken for none.
        """
        last, moved = self._last, self._measured(plane)
        if moved is None and last is not None and last is not self._before:
            self._begin(last)  # what stood so long may have changed meanwhile
            moved = self._measured(plane)
        self._last = plane
        if moved is not None:
            return moved
        if last is not None and last.shape == plane.shape:
            moved = STILL if half_stays(plane, last) else self._leapt(last, plane)
        if moved is None:
            self._calm = 0  # another camera, for all that is known
        self._begin(plane)
        return moved

    def _leapt(self, before: Plane, plane: Plane) -> Similarity | None:
        """The motion between two pictures that no corners agree on nearby: they are looked for where most of it went.

        So a camera is followed on that has moved behind a picture that stood. None: after a cut.
        """
        shift, sureness = shift_between(before, plane)
        if sureness < SAME_SCENE:
            return None
        return self._follow(before, exposed_as(plane, before), shift) or STILL

    def _measured(self, plane: Plane) -> Similarity | None:
        """The motion where it can be told, and what is next is measured against this plane then; else None."""
        before = self._before
        if before is None or before.shape != plane.shape:
            return None
        if repeats(plane, before):
            return STILL
        moved = self._follow(before, exposed_as(plane, before))
        if moved is None:
            return None
        if moved is STILL:
            self._calm += 1
            self._stood += 1
            if self._stood >= STANDS:
                self._begin(plane)
            return STILL
        self._before, self._stood = plane, 0
        self._age += 1
        if self._age >= CORNERS_LAST:
            self._corners = None
        return moved

    def _begin(self, plane: Plane) -> None:
        self._before, self._corners, self._age, self._stood = plane, None, 0, 0

    def _follow(self, before: Plane, plane: Plane, shift: complex = 0j) -> Similarity | None:
        """What most corners agree on, looked for so far from where they were, or None."""
        if self._corners is None:
            self._age = 0
            self._corners = cast(Points | None, cv2.goodFeaturesToTrack(before, CORNERS, QUALITY, APART))
        if self._corners is None or len(self._corners) < FEWEST:
            return None
        there = self._corners + np.array([shift.real, shift.imag], np.float32)
        found, status, _ = cv2.calcOpticalFlowPyrLK(before, plane, self._corners, there, **LOOK)  # type: ignore[call-overload]
        seen = status.ravel() == 1
        start, end = self._corners[seen], found[seen]
        if len(start) < FEWEST:
            return None
        matrix, agree = cv2.estimateAffinePartial2D(
            start, end, method=cv2.RANSAC, ransacReprojThreshold=EXACT, maxIters=300
        )
        if matrix is None or np.count_nonzero(agree) < max(FEWEST, AGREE * len(start)):
            return None
        if float(np.median(np.abs(end - start).max(axis=2))) < LEAST_MOVE:
            return STILL
        turn, shift = complex(matrix[0, 0], matrix[1, 0]), complex(matrix[0, 2], matrix[1, 2])
        if not 1 / MOST_SCALE < abs(turn) < MOST_SCALE:
            return None
        half = 0.5 + 0.5j  # OpenCV counts from the middle of the first pixel, boxes from its edge
        moved = Similarity(turn, shift + half - turn * half)
        middle = complex(plane.shape[1], plane.shape[0]) / 2
        far = abs(moved.point(middle) - middle) + abs(turn - 1) * abs(middle) > MUCH
        if far and self._calm >= CALM and stays(before, plane, matrix):
            return STILL  # what goes by has the more corners, and with those alone would be the camera for long
        self._calm = 0 if far else self._calm + 1
        self._corners = end[agree.ravel() == 1]
        return moved
