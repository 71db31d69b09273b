"""Which packets are worth decoding, and which pictures go further."""

from streamer.values.timeline import Timeline

LATE = 1.0
"""Seconds of lag that are too many."""
LATE_FOR = 2.0
"""Seconds the lag must last before decoding skips ahead: a burst after a stall is worked off faster than that."""


class Gate:
    """No packet before a keyframe is worth decoding, and none up to the next one when too late."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._open = False
        self._late_since: float | None = None

    def opens(self, is_keyframe: bool, pts: float | None, now: float) -> bool:
        """Whether to decode a packet; `pts` in seconds, None where it cannot be late."""
        late = pts is not None and self._timeline.lag(pts, now) > LATE
        if not late:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif self._open and now - self._late_since > LATE_FOR:
            self._open = False
        if not self._open and is_keyframe:
            self._open = True
            if late and pts is not None:  # skipping did not help: the way itself has become longer
                self._timeline.accept_delay(pts, now)
            self._late_since = None
        return self._open


class Ceiling:
    """Lets no more than so many pictures a second go further, over any second and a half."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._room = fps / 2
        self._at: float | None = None

    def passes(self, now: float) -> bool:
        """Whether a picture that came at `now`, in monotonic seconds, goes further."""
        if self._at is not None:
            self._room = min(max(1.0, self._fps / 2), self._room + (now - self._at) * self._fps)
        self._at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True
