"""A stream's camera, followed frame by frame in the source's thread, for the tracker that asks on the event loop."""

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

    def follow(self, frame: Frame, *, closely: bool) -> None:
        """Take the next frame, in the source's thread.

        Args:
            frame: of whatever size.
            closely: measure its motion now; else now and then.
        """
        form = frame.opening, frame.width, frame.height
        if form != self._form:  # opened anew, or of another size: as after a cut, nothing is where it was
            self._form, self._motion, self._waiting = form, CameraMotion(), []
            self.path.add(frame.pts, None)
            closely = True
        self._waiting.append((frame.pts, plane_of(frame, self._reformatter)))
        if closely or len(self._waiting) >= STRIDE:
            waiting, self._waiting = self._waiting, []
            self._measure(waiting, frame.width / waiting[0][1].shape[1])

    def _measure(self, waiting: list[tuple[float, Plane]], scale: float) -> None:
        for number, step in self._motion.stride([plane for _, plane in waiting]):
            # The first step after another form is a cut too, at a moment that the path has.
            self.path.add(waiting[number][0], None if step is None else Similarity(step.turn, step.shift * scale))
