"""Which time of the stream a picture has that was not decoded, and which frames the model looked at. Pure.

A decoded frame says both its source's time and the stream's; those of the pictures around it differ by the same.
"""

from collections import deque

from streamer.values.coded import MICROSECONDS
from streamer.values.frame import Frame

REMEMBERED = 64
"""Pictures, and frames with answers, that are remembered: two seconds at 30 a second."""

Identity = tuple[int, int]
"""A picture: the opening of its source, and its time in microseconds."""


class Placing:
    """One stream's."""

    def __init__(self) -> None:
        self._placed: tuple[int, int, float] | None = None
        """Opening, time and pts of the newest frame that was decoded."""
        self.size = 1, 1
        """Width and height of that frame, in pixels: boxes are of it."""
        self._sent: deque[Identity] = deque(maxlen=REMEMBERED)
        self._exact: deque[Identity] = deque(maxlen=REMEMBERED)

    def decoded(self, frame: Frame) -> None:
        """A frame has left the decoder."""
        self._placed, self.size = (frame.opening, frame.coded_at, frame.pts), (frame.width, frame.height)

    def pts(self, picture: Identity) -> float | None:
        """Seconds from the stream's first frame; None where no frame of its opening was decoded yet."""
        if self._placed is None or self._placed[0] != picture[0]:
            return None
        _, time, pts = self._placed
        return pts + (picture[1] - time) / MICROSECONDS

    def picture_of(self, frame: Frame) -> Identity | None:
        """The picture that is told what the model says of a frame; None: there is none."""
        return frame.opening, frame.coded_at

    def sent(self, picture: Identity, received_at: float) -> None:
        """Viewers were sent it; `received_at`: monotonic seconds at which it came."""
        self._sent.append(picture)

    def answered(self, frame: Identity) -> list[Identity]:
        """The model has answered a frame; gives the pictures since that were sent, and have no answer of their own."""
        self._exact.append(frame)
        opening, time = frame
        return [each for each in self._sent if each[0] == opening and each[1] > time and each not in self._exact]

    def is_exact(self, picture: Identity) -> bool:
        """Whether the model has answered it already."""
        return picture in self._exact
