"""Where everything is in pictures of another connection of the same camera. Pure.

The two have clocks of their own. What they share is when their pictures come here: of each, the quickest of the last
ones says how far its clock is from ours, so that what a network holds up now and then does not count.
"""

from collections import OrderedDict, deque

from streamer.values.coded import MICROSECONDS
from streamer.values.frame import Frame
from streamer.view.clean.placing import Identity, Placing

LATELY = 64
"""Pictures of which the quickest counts: two seconds of 30 a second; of the large video, of which five a second may be
heard, thirteen. Clocks part by a few milliseconds in that."""
JUMP = 1.0
"""Seconds beyond which a picture is not late: its clock was set anew."""
NEAR = 0.25
"""Seconds that a picture may lie from a frame of the model's and be told what it found."""
ASKED = 32
"""Frames of the model's that are remembered."""


class Offset:
    """How far one clock is behind ours."""

    def __init__(self) -> None:
        self._lately: deque[float] = deque(maxlen=LATELY)

    @property
    def seconds(self) -> float | None:
        """To be added to its times; None while nothing has come."""
        return min(self._lately, default=None)

    def came(self, time: float, received_at: float) -> None:
        """A picture of that time came; both in seconds."""
        behind = received_at - time
        if self._lately and abs(behind - self._lately[-1]) > JUMP:
            self._lately.clear()
        self._lately.append(behind)

    def forget(self) -> None:
        """Another connection, another clock."""
        self._lately.clear()


class Beside(Placing):
    """One stream's."""

    def __init__(self) -> None:
        super().__init__()
        self._own, self._main = Offset(), Offset()
        self._opening: int | None = None
        self._main_opening: int | None = None
        self._asked: OrderedDict[Identity, Identity] = OrderedDict()
        """Frames of the model's, and the pictures that stand for them."""

    def seen(self, frame: Frame) -> None:
        """A frame of the video that detection runs on has left the decoder."""
        self.size = frame.width, frame.height
        if frame.opening != self._main_opening:  # its times were laid anew
            self._main_opening = frame.opening
            self._main.forget()
        self._main.came(frame.pts, frame.received_at)

    def decoded(self, frame: Frame) -> None:
        """One of the other's has, which says nothing of where things are."""

    def pts(self, picture: Identity) -> float | None:
        """Seconds from the stream's first frame; None while either clock is unknown."""
        own, main = self._own.seconds, self._main.seconds
        if own is None or main is None or picture[0] != self._opening:
            return None
        return picture[1] / MICROSECONDS + own - main

    def sent(self, picture: Identity, received_at: float) -> None:
        """Viewers were sent it; `received_at`: monotonic seconds at which it came."""
        super().sent(picture, received_at)
        if picture[0] != self._opening:
            self._opening = picture[0]
            self._own.forget()
        self._own.came(picture[1] / MICROSECONDS, received_at)

    def picture_of(self, frame: Frame) -> Identity | None:
        """The nearest there was when this was asked first; None: none is near."""
        asked = frame.opening, frame.coded_at
        if asked not in self._asked:
            apart = {each: abs(pts - frame.pts) for each in self._sent if (pts := self.pts(each)) is not None}
            nearest = min(apart, key=apart.__getitem__, default=None)
            if nearest is None or apart[nearest] > NEAR:
                return None
            self._asked[asked] = nearest
            if len(self._asked) > ASKED:
                self._asked.popitem(last=False)
        return self._asked[asked]
