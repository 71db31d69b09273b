"""One thing that is followed: who it is, and what was seen of it. Where it is stands in the moment's arrays."""

from collections import deque

from streamer.tracking.voting import Votes
from streamer.values.followed import Followed

SCORES = 10
"""Samples whose scores are remembered."""


class Track:
    """One thing."""

    def __init__(self, tracker_id: int, votes: Votes, pts: float, score: float) -> None:
        """The sample at `pts` showed it first."""
        self.tracker_id = tracker_id
        self.votes = votes
        self.first_seen = pts
        self.last_seen = pts
        """pts of the newest sample with a strong row."""
        self.last_matched = pts
        """pts of the newest sample with any."""
        self.score = score
        """Of the newest strong row: what is drawn, also where only a faint one was found."""
        self.scores: deque[float] = deque([score], maxlen=SCORES)
        """Of the newest samples since it began, 0 where it was missed."""
        self.hits = 1
        """Samples that found it, faintly or not."""
        self.missing = 0.0
        """Seconds of answered samples since it was found."""

    def seen(self, pts: float, score: float, *, faint: bool) -> None:
        """A row of the sample at `pts` continues it."""
        self.hits += 1
        self.missing = 0.0
        self.last_matched = pts
        self.scores.append(score)
        if not faint:
            self.score, self.last_seen = score, pts

    def missed(self, seconds: float) -> None:
        """A sample that came so long after the one before shows nothing of it."""
        self.missing += seconds
        self.scores.append(0.0)

    def told(self, speed: float | None) -> Followed:
        """What events say of it; `speed` in pixels a second, None where the camera's motion hides it."""
        return Followed(
            tracker_id=self.tracker_id,
            label=self.votes.label,
            class_id=self.votes.class_id,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            scores=tuple(self.scores),
            speed=speed,
        )
