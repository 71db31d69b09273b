"""Deeds that are done over and over: a few are told one by one, then how many more there were. Pure.

What changes nothing may be done as fast as one can ask, some of it by strangers. One by one such deeds would push out
of the audit, whose files are bounded, what everybody else has done. What changes something is always told.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from streamer.access.deed import Deed
from streamer.values.host import network_of

WINDOW = 600.0
"""Seconds in which deeds are counted together."""
ONE_BY_ONE = 10
"""Of one kind, by one person, from one address, that are told each."""
ONE_BY_ONE_OF_ALL = 200
"""Of one kind that failed, whoever tried and from wherever."""
MOST = 1000
"""Kinds that are counted at a time; of more, the oldest is told and counted anew."""
CHANGES_NOTHING = frozenset({"camera examine", "link make", "sign in", "sign out", "stream publish"})
"""Beside whatever failed."""

Kind = tuple[str | bool, ...]


@dataclass(slots=True)
class _Run:
    """Deeds of one kind."""

    since: float
    count: int = 0
    untold: int = 0
    last: Deed | None = None
    """Of those that were not told."""

    def withhold(self, deed: Deed) -> None:
        """Count one that is not told."""
        self.untold, self.last = self.untold + 1, deed


class Repeats:
    """Those of one audit."""

    def __init__(self) -> None:
        self._runs: OrderedDict[Kind, _Run] = OrderedDict()

    def told(self, deed: Deed) -> list[Deed]:
        """What is to be written now that this was done: it, unless there were too many like it."""
        over = list(self.over(deed.at))
        if deed.ok and deed.what not in CHANGES_NOTHING:
            return [*over, deed]
        kind: Kind = (deed.what, deed.ok)
        of_all = None if deed.ok else self._runs.setdefault(kind, _Run(deed.at))
        # Two addresses of an IPv6 household are one, and many households still fail in one way.
        kind = (*kind, deed.who, network_of(deed.address))
        if of_all is not None and of_all.count >= ONE_BY_ONE_OF_ALL and kind not in self._runs:
            of_all.withhold(deed)
            return over
        one = self._runs.setdefault(kind, _Run(deed.at))
        if one.count >= ONE_BY_ONE:
            one.withhold(deed)
        else:
            one.count += 1
            if of_all is not None:
                of_all.count += 1
            over.append(deed)
        return [*over, *self._too_many()]

    def over(self, now: float) -> Iterator[Deed]:
        """How many more there were of the kinds whose time is over by `now` (seconds since 1970)."""
        while self._runs:
            run = next(iter(self._runs.values()))
            if 0 <= now - run.since < WINDOW:
                return
            yield from self._end_oldest()

    def all_over(self) -> Iterator[Deed]:
        """The same of all kinds: nothing more will be done."""
        while self._runs:
            yield from self._end_oldest()

    def _too_many(self) -> Iterator[Deed]:
        while len(self._runs) > MOST:
            yield from self._end_oldest()

    def _end_oldest(self) -> Iterator[Deed]:
        _, run = self._runs.popitem(last=False)
        if run.last is not None:
            yield replace(run.last, detail=f"{run.untold} more like it, this one the last; {run.last.detail}")
