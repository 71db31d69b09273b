"""One thing that is followed: who it is, and what was seen of it. Where it is stands in the moment's arrays."""

from typing import Final, NamedTuple

from streamer.tracking.moment import Look
from streamer.tracking.voting import Votes
from streamer.values.followed import Followed

SCORES = 10
"""Samples whose scores are remembered."""


class Behind(NamedTuple):
    """How far a sample is behind the newest that was answered."""

    samples: int
    """Answered ones after it."""
    seconds: float


NEWEST: Final = Behind(0, 0.0)


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
        self.scores: tuple[float, ...] = (score,)
        """Of the newest samples since it began, 0 where it was missed."""
        self.hits = 1
        """Samples that found it, faintly or not."""
        self.missing = 0.0
        """Seconds of answered samples since it was found."""

    def seen(
        self, pts: float, label: str, class_id: int, score: float, *, faint: bool, behind: Behind = NEWEST
    ) -> None:
        """A row of the sample at `pts` shows it."""
        self.hits += 1
        self.votes.add(label, class_id, score)
        if behind.samples:
            self._recall(score, behind)
            self.first_seen = min(self.first_seen, pts)
        else:
            self.scores = (*self.scores[1 - SCORES :], score)
        if pts > self.last_matched:
            self.last_matched, self.missing = pts, behind.seconds
        if pts > self.last_seen and not faint:
            self.score, self.last_seen = score, pts

    def missed(self, seconds: float) -> None:
        """A sample that came so long after the one before shows nothing of it."""
        self.missing += seconds
        self.scores = (*self.scores[1 - SCORES :], 0.0)

    def missed_before(self, pts: float, behind: Behind) -> None:
        """The sample at `pts`, which newer ones have overtaken, shows nothing of it."""
        if self.first_seen < pts:
            self._recall(0.0, behind)

    def _recall(self, score: float, behind: Behind) -> None:
        place = max(0, len(self.scores) - behind.samples)
        self.scores = (*self.scores[:place], score, *self.scores[place:])[-SCORES:]

    @property
    def look(self) -> Look:
        """As it is drawn."""
        return self.tracker_id, self.votes.label, self.votes.class_id, self.score

    def told(self, speed: float | None) -> Followed:
        """What events say of it; `speed` in pixels a second, None where the camera's motion hides it."""
        # By place, not by name: a hundred of them are made of every sample.
        votes = self.votes
        return Followed(
            self.tracker_id, votes.label, votes.class_id, self.first_seen, self.last_seen, self.scores, speed
        )
