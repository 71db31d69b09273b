"""How long calls take, learnt from those that were answered: by how many pictures they carry, and how many run at once.

From that follow two decisions. How many calls the server really works on at once: its *lanes*; one more only waits in
front of it, and its frames grow old there. And how many pictures are worth a call: more make the answers later, and
not always more of them. Pure.
"""

from dataclasses import dataclass
from typing import Final

NEW: Final = 0.05
"""What a call weighs in what is known of all."""
CLEAN: Final = 0.15
"""How far from a whole number the calls that ran beside one may have been on average, for it to count for that many."""
WORTH: Final = 0.25
"""Of what a call at a time gives on average, that one more must give to be worth it."""
NEARLY: Final = 0.95
"""Of the pictures a second that the largest batch gives: for the rest nobody waits twice as long."""
STALE: Final = 30.0
"""Seconds after which what is known of a number of calls at once is tried again."""
GIVES_UP: Final = 6
"""Calls that a trial may take before it is over without a result."""


class RunTime:
    """A straight line through the calls of late: seconds by pictures."""

    def __init__(self) -> None:
        self.pictures = 0.0
        """In a call, on average."""
        self._count = 0
        self._seconds = self._variance = self._covariance = 0.0
        self._slope: float | None = None
        """Seconds for one picture more; None: they were all of one size so far."""

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, pictures: int, seconds: float) -> None:
        """A call about so many took so long."""
        self._count += 1
        weight = max(NEW, 1 / self._count)
        more, longer = pictures - self.pictures, seconds - self._seconds
        self.pictures += weight * more
        self._seconds += weight * longer
        self._variance = (1 - weight) * (self._variance + weight * more * more)
        self._covariance = (1 - weight) * (self._covariance + weight * more * longer)
        if self._variance >= NEW:
            self._slope = max(self._covariance / self._variance, 0.0)

    def seconds(self, pictures: float) -> float:
        """A call about so many; twice as long for twice as many where all were of one size, and never longer."""
        slope = self._each if self._slope is None else min(self._slope, self._each)
        return self._seconds + slope * (pictures - self.pictures)

    def at_most(self, pictures: float) -> float:
        """The same for whoever must not be late: of fewer than were ever seen nobody knows that they take less."""
        return max(self._seconds, self.seconds(pictures)) if self._slope is None else self.seconds(pictures)

    def knows(self, pictures: float) -> bool:
        """Whether a call about so many is like those that were seen, or the line is known."""
        return bool(self) and (self._slope is not None or abs(pictures - self.pictures) <= self.pictures / 3)

    @property
    def is_line(self) -> bool:
        """Whether calls of more than one size were seen."""
        return self._slope is not None

    @property
    def _each(self) -> float:
        return self._seconds / self.pictures


@dataclass(slots=True)
class _Level:
    """What is known of so many calls at once."""

    run_time: RunTime
    tried_at: float


class RunTimes:
    """Of one model's calls."""

    def __init__(self, most: int) -> None:
        """Know nothing; `most` calls may be under way at once."""
        self.most = most
        self._all = RunTime()
        self._levels: dict[int, _Level] = {}
        """By calls at once, of those that had nearly as many beside them all the time."""
        self._lanes = most
        self._trial: int | None = None
        self._patience = 0

    @property
    def lanes(self) -> int:
        """Calls that are to run at once now, be it for a trial."""
        return self._trial or self._lanes

    @property
    def tries(self) -> bool:
        """Whether a trial goes on."""
        return self._trial is not None

    def add(self, pictures: int, seconds: float, beside: float, now: float) -> None:
        """A call was answered.

        Args:
            pictures: in it.
            seconds: from its being taken to its answer.
            beside: calls that were under way meanwhile on average, itself included.
            now: monotonic time.
        """
        count = min(self.most, max(1, round(beside)))
        is_clean = abs(beside - count) <= CLEAN
        self._all.add(pictures, seconds)
        if is_clean:
            level = self._levels.setdefault(count, _Level(RunTime(), now))
            level.run_time.add(pictures, seconds)
            level.tried_at = now
            self._choose()
        self._patience -= 1
        if self._trial is not None and (self._patience <= 0 or (is_clean and count == self._trial)):
            tried = self._levels.setdefault(self._trial, _Level(RunTime(), now))
            tried.tried_at, self._trial = now, None

    def seconds(self, pictures: int, beside: int) -> float:
        """How long a call takes at the most, with so many under way, itself included, or as many more as may come.

        0 while nothing is known.
        """
        counts = range(beside, self.lanes + 1)
        known = [level.run_time for count, level in self._levels.items() if count in counts and level.run_time]
        return max(run_time.at_most(pictures) for run_time in known or [self._all]) if self._all else 0.0

    def worth(self, most: int) -> int:
        """Pictures that are worth a call: half of `most`, or as many more as make more of them a second."""
        level = self._levels.get(self._lanes)
        if level is None or not level.run_time.is_line or self.tries:
            return most
        run_time = level.run_time
        enough = NEARLY * most / max(run_time.seconds(most), 1e-6)
        half = (most + 1) // 2
        return next((n for n in range(half, most) if n >= enough * run_time.seconds(n)), most)

    def crowd(self, now: float) -> None:
        """More is due than can leave: a moment to try what one call more or fewer at a time would give."""
        if self._trial is not None:
            return
        for count in (self._lanes - 1, self._lanes + 1):
            level = self._levels.get(count)
            if 1 <= count <= self.most and (level is None or now - level.tried_at >= STALE):
                self._trial, self._patience = count, GIVES_UP * self.most
                return

    def _choose(self) -> None:
        """As few calls at once as give nearly as many pictures a second as more of them do."""
        known = {count: level.run_time for count, level in self._levels.items() if level.run_time}
        pictures = known[max(known)].pictures
        rates = {
            count: count * pictures / max(run_time.seconds(pictures), 1e-6)
            for count, run_time in known.items()
            if run_time.knows(pictures)
        }
        lanes = self.most
        while lanes > 1 and lanes in rates and lanes - 1 in rates:
            # Beside the ones that are there: of eight servers the eighth gives a seventh part more, and is worth it.
            if rates[lanes] >= rates[lanes - 1] * (1 + WORTH / (lanes - 1)):
                break
            lanes -= 1
        self._lanes = lanes
