"""How long calls take, learnt from those that were answered: by how many pictures they carry, and how many run at once.

From that follow two decisions. How many calls the server really works on at once: its *lanes*; one more only waits in
front of it, and its frames grow old there. And how many pictures are worth a call: more make the answers later, and
not always more of them. Pure.
"""

from dataclasses import dataclass, field
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
DOUBTED: Final = 1.0
"""The same after another number was chosen. A verdict compares moments, of which one may have been bad: a server's
first calls take many times as long as its others, and 30 s would be lost to what those have shown."""
TRUSTED: Final = 4.0
"""Times as long each time that a trial has changed nothing, until it is STALE."""
TRIAL: Final = 4
"""Calls that a trial is judged by."""
GIVES_UP: Final = 6
"""Calls, times as many as may be under way, after which a trial is over whatever it has come to."""


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

    def succeed(self, former: "RunTime") -> None:
        """Be what is known from now on; where these calls were all of one size, the line is as steep as it was."""
        if self._slope is None and former.is_line:
            before, longer = former.seconds(self.pictures), former.seconds(self.pictures + 1)
            self._slope = (longer - before) * self._seconds / max(before, 1e-6)

    def seconds(self, pictures: float) -> float:
        """A call about so many; twice as long for twice as many where all were of one size, and never longer."""
        slope = self._each if self._slope is None else min(self._slope, self._each)
        return self._seconds + slope * (pictures - self.pictures)

    def at_most(self, pictures: float) -> float:
        """The same for whoever must not be late: of fewer than were ever seen nobody knows that they take less.

        Nor that one more takes longer: who never asks about more never learns that they are no dearer.
        """
        if self._slope is not None:
            return self.seconds(pictures)
        return self._seconds if pictures <= self.pictures + 1 else self.seconds(pictures)

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
    rests: float = STALE
    """Seconds until it is tried again."""


@dataclass(slots=True)
class _Trial:
    """Of so many calls at once, for a moment."""

    count: int
    patience: int
    """Calls that it may still take."""
    run_time: RunTime = field(default_factory=RunTime)
    """By its own calls alone: what is known of before may be another machine's."""
    clean: int = 0
    """Calls that had as many beside them."""


class RunTimes:
    """Of one model's calls."""

    def __init__(self, most: int) -> None:
        """Know nothing; `most` calls may be under way at once."""
        self.most = most
        self._all = RunTime()
        self._levels: dict[int, _Level] = {}
        """By calls at once, of those that had nearly as many beside them all the time."""
        self._lanes = most
        self._trial: _Trial | None = None

    @property
    def lanes(self) -> int:
        """Calls that are to run at once now, be it for a trial."""
        return self._trial.count if self._trial is not None else self._lanes

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
        trial = self._trial
        if is_clean and trial is not None and count == trial.count:
            trial.run_time.add(pictures, seconds)
            trial.clean += 1
        elif is_clean:
            level = self._levels.setdefault(count, _Level(RunTime(), now))
            level.run_time.add(pictures, seconds)
            level.tried_at = now
            self._choose()
        if trial is not None:
            trial.patience -= 1
            if trial.clean >= TRIAL or trial.patience <= 0:
                self._conclude(trial, now)

    @property
    def tries_more(self) -> bool:
        """Whether a trial goes on of more calls at once than were chosen."""
        return self._trial is not None and self._trial.count > self._lanes

    def give_up(self, now: float) -> None:
        """End a trial with the verdict that was before it: nothing comes in time by what it tries."""
        if self._trial is not None:
            self._trial.run_time = RunTime()
            self._conclude(self._trial, now)

    def forget(self) -> None:
        """Know nothing again, since that has turned out to be wrong.

        As many calls are to run at once as were, until the first that is learnt of: from that on `most`, until as many
        are seen to give no more than fewer do.
        """
        self._all, self._trial = RunTime(), None
        self._levels.clear()

    def seconds(self, pictures: int, beside: int) -> float:
        """How long a call takes at the most, with so many under way, itself included, or as many more as may come.

        0 while nothing is known.
        """
        counts = range(beside, self.lanes + 1)
        known = [level.run_time for count, level in self._levels.items() if count in counts and level.run_time]
        if not self._all:
            return 0.0
        longest = max(run_time.at_most(pictures) for run_time in known or [self._all])
        chosen = self._levels.get(self._lanes)
        if not self.tries_more or chosen is None or not chosen.run_time:
            return longest
        # What is known of a trial's number may be of a slower model; at the worst its calls wait for one another.
        return min(longest, self.lanes / self._lanes * chosen.run_time.at_most(pictures))

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
            if 1 <= count <= self.most and (level is None or now - level.tried_at >= level.rests):
                self._trial = _Trial(count, GIVES_UP * self.most)
                return

    def _conclude(self, trial: _Trial, now: float) -> None:
        """What its calls have shown takes the place of what was known: in a mean with that it would hardly count."""
        self._trial = None
        level = self._levels.setdefault(trial.count, _Level(RunTime(), now))
        level.tried_at, level.rests = now, min(TRUSTED * level.rests, STALE)
        if trial.run_time:
            trial.run_time.succeed(level.run_time)
            level.run_time = trial.run_time
            self._choose()

    def _choose(self) -> None:
        """As few calls at once as give nearly as many pictures a second as more of them do."""
        known = {count: level.run_time for count, level in self._levels.items() if level.run_time}
        # Of the largest calls: what had smaller ones only, all of one size, is held to what it gave with those.
        pictures = max(run_time.pictures for run_time in known.values())
        rates = {count: count * pictures / max(each.seconds(pictures), 1e-6) for count, each in known.items()}
        lanes = self.most
        while lanes > 1 and lanes in rates and lanes - 1 in rates:
            # Beside the ones that are there: of eight servers the eighth gives a seventh part more, and is worth it.
            if rates[lanes] >= rates[lanes - 1] * (1 + WORTH / (lanes - 1)):
                break
            lanes -= 1
        if lanes != self._lanes:
            for level in self._levels.values():
                level.rests = DOUBTED
        self._lanes = lanes
