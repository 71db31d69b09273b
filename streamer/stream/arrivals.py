"""A stream's decoded frames, from its source's thread to the event loop: which of them, and how much is decoded at all.

A frame that nobody looks at and the model is not asked about costs the loop nothing; the camera's motion is seen on
some of these too, or it would be lost between two samples.
"""

import asyncio
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from streamer.stream.counts import Counts
from streamer.stream.inquiry import Inquiry
from streamer.tracking.camera import Camera
from streamer.values.buffer import Mailbox
from streamer.values.depth import WHOLE, Depth
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps

SELDOM = 0.5
"""Seconds after which the event loop hears of a picture that nobody looks at and the model is not asked about."""
FOLLOWED = 3
"""Every which of such pictures the camera's motion is seen on: where it cannot be told from one sample to the next."""
SLACK = 0.25
"""Of the time between two samples: by so much one may come sooner or later, if that saves decoding."""
WAITING = 8
"""Frames that may wait for the event loop: a quarter of a second."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame on its way to the event loop."""

    frame: Frame
    is_due: bool
    """Whether the stream is, with this frame."""
    came: int
    """Pictures that came since the arrival before, decoded or not: this one, and those that nobody needed."""


class Arrivals:
    """One stream's."""

    def __init__(
        self,
        inquiry: Inquiry,
        camera: Camera,
        counts: Counts,
        *,
        is_shown: Callable[[], bool],
        is_watched: Callable[[], bool],
        mishaps: Callable[[str], Mishaps],
    ) -> None:
        """Take nothing yet.

        Args:
            inquiry: says when the stream is due, and for how long its newest frame is wanted.
            camera: whose motion is followed.
            counts: of the stream's frames.
            is_shown: whether anybody looks at its frames as they are drawn on; asked of in the source's thread.
            is_watched: whether anybody looks at its pictures as they came; likewise.
            mishaps: of something that its stream cannot do.
        """
        self._inquiry, self._camera, self._counts = inquiry, camera, counts
        self._is_shown, self._is_watched = is_shown, is_watched
        self.lost = 0
        """Frames that the loop was too late for. One with which the stream was due is counted as a dropped sample."""
        self._mailbox: Mailbox[Arrival] | None = None
        self._receiving = threading.Lock()
        """One frame at a time: the thread of a connection that was given up may be at its last when the next begins."""
        self._wanted = WHOLE
        """What is to be decoded while nobody looks."""
        self._size: tuple[int, int] | None = None
        """Width and height of the newest frame, in pixels."""
        self._unheard = self._unfollowed_since = 0
        """Pictures since the newest that went to the event loop, and since the newest that motion was seen on."""
        self._heard_at = -math.inf
        """Arrival of the newest that went to the event loop."""
        self._unfollowed = mishaps("the camera's motion cannot be followed")
        self._unreceived = mishaps("frames cannot be taken from the source")
        self._unarrived = mishaps("frames cannot be taken in")

    @property
    def is_open(self) -> bool:
        """Whether frames are taken."""
        return self._mailbox is not None

    @property
    def failed(self) -> int:
        """Frames that could not be taken."""
        return self._unreceived.count + self._unarrived.count

    @property
    def unfollowed(self) -> int:
        """Frames on which the camera's motion could not be seen."""
        return self._unfollowed.count

    def open(self, loop: asyncio.AbstractEventLoop, take: Callable[[Arrival], None]) -> None:
        """Take frames from now on; on the event loop, where each is handed on."""
        self._mailbox = Mailbox(loop, take, WAITING, self._unarrived)

    # ---- in the source's thread

    def put(self, frame: Frame) -> None:
        """Take one. Neither waits nor raises."""
        mailbox = self._mailbox
        if mailbox is None:
            return
        with self._receiving, self._unreceived:
            is_due = self._inquiry.mark(frame)
            self._wanted = self._inquiry.depth(frame, SLACK)
            is_shown, size = self._is_shown(), (frame.width, frame.height)
            is_resized, self._size = size != self._size, size  # boxes of the old geometry are to go at once
            is_wanted = is_due or is_resized or is_shown or self._inquiry.is_open
            self._unheard += 1 + frame.missed
            self._follow(frame, is_wanted=is_wanted, is_looked_at=is_shown or self._is_watched())
            if is_wanted or frame.received_at - self._heard_at >= SELDOM:
                came, self._unheard, self._heard_at = self._unheard, 0, frame.received_at
                self._lose(mailbox.put(Arrival(frame, is_due, came)))

    def depth(self) -> Depth:
        """How much of what comes is to be decoded."""
        if self._is_shown():
            return WHOLE
        # While a slot waits for the model, each newer picture takes its place in it.
        return replace(self._wanted, wanted_at=-math.inf) if self._inquiry.is_open else self._wanted

    def _follow(self, frame: Frame, *, is_wanted: bool, is_looked_at: bool) -> None:
        self._unfollowed_since += 1
        if is_wanted or is_looked_at or self._unfollowed_since >= FOLLOWED:
            self._unfollowed_since = 0
            with self._unfollowed:
                self._camera.follow(frame, closely=is_looked_at)

    def _lose(self, lost: Arrival | None) -> None:
        if lost is not None:
            if lost.is_due:
                self._counts.drop("sampler", "loop_busy")
            else:
                self.lost += 1
