"""A stream's camera, followed frame by frame in the source's thread, for the tracker that asks on the event loop.

Up to a frame that the model looks at it is followed in a thread of the model's, while that is at work.
"""

import threading

from av.video.reformatter import VideoReformatter

from streamer.tracking.camera_motion import CameraMotion
from streamer.tracking.camera_path import CameraPath
from streamer.tracking.plane import Plane, plane_of
from streamer.tracking.similarity import Similarity
from streamer.values.frame import Frame

STRIDE = 6
"""Frames after which motion is measured where nobody looks at each: matching asks for the whole way alone."""


class Camera:
    """One camera; `path` is what is known of it."""

    def __init__(self) -> None:
        self.path = CameraPath()
        self._motion = CameraMotion()
        self._reformatter = VideoReformatter()
        self._form: tuple[int, int, int] | None = None
        """Opening, width and height of the newest frame."""
        self._waiting: list[tuple[float, Plane]] = []
        """pts and plane of frames since motion was measured."""
        self._scale = 1.0
        """Pixels of the frame for one of its plane."""
        self._lock = threading.Lock()

    def follow(self, frame: Frame, *, closely: bool) -> None:
        """Take the next frame, in the source's thread.

        Args:
            frame: of whatever size.
            closely: measure its motion now; else now and then.
        """
        form, plane = (frame.opening, frame.width, frame.height), plane_of(frame, self._reformatter)
        with self._lock:
            if form != self._form:  # opened anew, or of another size: as after a cut, nothing is where it was
                self._form, self._motion, self._waiting = form, CameraMotion(), []
                self._scale = frame.width / plane.shape[1]
                self.path.add(frame.pts, None)
                closely = True
            self._waiting.append((frame.pts, plane))
            if closely or len(self._waiting) >= STRIDE:
                self._measure(len(self._waiting))

    def reach(self, frame: Frame) -> None:
        """Have `path` know the camera's way to a frame that was followed, in any thread."""
        with self._lock:
            if (frame.opening, frame.width, frame.height) == self._form:
                self._measure(sum(pts <= frame.pts for pts, _ in self._waiting))

    def _measure(self, count: int) -> None:
        """The way to the first so many that wait."""
        waiting, self._waiting = self._waiting[:count], self._waiting[count:]
        for number, step in self._motion.stride([plane for _, plane in waiting]) if waiting else ():
            # The first step after another form is a cut too, at a moment that the path has.
            moved = None if step is None else Similarity(step.turn, step.shift * self._scale)
            self.path.add(waiting[number][0], moved)
