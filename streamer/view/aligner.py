"""Holds frames until their detections are known, so that boxes lie on the picture they were computed for. Pure.

Every frame is shown `hold` seconds after it arrived, or when there is no room to hold it any longer: long enough for
nearly every answer to be there, short enough to stay live. The hold is one number for all frames of a stream rather
than a wait for each sample, because a wait for each would stop the picture at every sample and let the frames behind it
out in a burst: the same latency, with stutter.
"""

from collections import deque

from streamer.values.frame import Frame
from streamer.view.hold import Hold

MAX_FRAMES = 64
"""Frames held at most: half a second of 120 a second."""
LEAST_FRAMES = 4
"""Frames that are held however large they are."""
MEMORY = 64 << 20
"""Bytes of pictures held at most, so that a 4K stream holds fewer."""
GRACE = 0.015
"""Seconds that a picture is held beyond the hold at most where the model is asked about it and has not answered. The
way to the next one is twice as long at least, so that none has to wait for it, and at 30 a second nobody sees it."""


class Aligner:
    """The frames of one stream that wait to be shown."""

    def __init__(self) -> None:
        self.held = 0.0
        """Seconds the frame taken last was held; 0 while nobody watches."""
        self.dropped = 0
        """Frames given up because nobody took them in time."""
        self._frames: deque[Frame] = deque()
        self._room = LEAST_FRAMES
        """How many are held at most, of the size that the newest has."""
        self._hold = Hold()
        self._asked: set[int] = set()
        """Indices of the frames held that the model is asked about and has not answered."""

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def hold(self) -> float:
        """Seconds a frame is to be held now, where there is room for it so long."""
        return self._hold.seconds

    def asked(self, frame: Frame) -> None:
        """The model is asked about this frame, which is worth a moment where it is still held."""
        if any(each is frame for each in self._frames):
            self._asked.add(frame.index)

    def answered(self, latency: float, at: float) -> None:
        """An answer came at `at`, `latency` seconds after its frame had arrived."""
        self._hold.answered(latency, at)

    def settled(self, frame: Frame) -> bool:
        """A frame has its answer; gives whether it may be due sooner now."""
        was_asked = frame.index in self._asked
        self._asked.discard(frame.index)
        return was_asked

    def put(self, frame: Frame) -> bool:
        """Hold the newest frame; gives whether a frame is due sooner now than any was before."""
        before = self.due_at()
        self._hold.move(frame.received_at)
        self._room = max(LEAST_FRAMES, min(MAX_FRAMES, MEMORY // (frame.width * frame.height * 3 // 2 + 1)))
        while len(self._frames) >= self._room:
            self._pop()
            self.dropped += 1
        self._frames.append(frame)
        return before is None or self._oldest_due_at() < before

    def due_at(self) -> float | None:
        """Monotonic time at which the oldest frame is to be shown; None where none waits.

        Where no more fit it is due already. Were it dropped instead, nothing would ever be shown of a stream whose
        pictures are too large to be held for as long as its answers take.
        """
        return self._oldest_due_at() if self._frames else None

    def take(self, now: float) -> Frame | None:
        """The next frame to show, or None while it is too early.

        Where several are due already the taker has fallen behind, and the oldest of them are dropped.
        """
        while len(self._frames) > 2 and self._frames[2].received_at + self.hold <= now:
            self._pop()
            self.dropped += 1
        due_at = self.due_at()
        if due_at is None or due_at > now:
            return None
        frame = self._pop()
        self.held = now - frame.received_at
        return frame

    def clear(self) -> None:
        """Forget the frames that wait: nobody watches."""
        self._frames.clear()
        self._asked.clear()
        self.held = 0.0

    def _pop(self) -> Frame:
        frame = self._frames.popleft()
        self._asked.discard(frame.index)
        return frame

    def _oldest_due_at(self) -> float:
        arrived = self._frames[0].received_at
        return arrived if len(self._frames) >= self._room else arrived + self.hold + self._grace()

    def _grace(self) -> float:
        """Seconds that the oldest frame waits for its own answer beyond the hold: half the way to the next at most."""
        if not self.hold or self._frames[0].index not in self._asked:
            return 0.0  # nothing is held while no answer ever came
        if len(self._frames) == 1:
            return GRACE
        return min(GRACE, max(0.0, self._frames[1].received_at - self._frames[0].received_at) / 2)
