"""What must hold of a cluster whatever is done to it, asked of all that was seen of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.faults.moment import Moment
from tests.faults.observed import Gained, Observed

LONGEST_UNOWNED = 8.0
"""Seconds for which nobody may run a stream while somebody is up."""
LONGEST_TWICE = 2.0
"""Seconds for which two that are up may run one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stream was in a state for a while."""

    stream: str
    since: float
    seconds: float


@dataclass
class Judgement:
    """Of one run."""

    unowned: list[Span] = field(default_factory=list)
    """Each time that nobody ran a stream while somebody was up."""
    twice: list[Span] = field(default_factory=list)
    """Each time that two who were up ran one."""
    reused: list[tuple[str, int]] = field(default_factory=list)
    """Claims that were acted upon twice."""

    @property
    def complaints(self) -> list[str]:
        """What was broken, in sentences."""
        found = [
            f"{span.stream} was run by nobody for {span.seconds:.1f} s from {span.since:.1f} on"
            for span in self.unowned
            if span.seconds > LONGEST_UNOWNED
        ]
        found += [
            f"{span.stream} was run by two for {span.seconds:.1f} s from {span.since:.1f} on"
            for span in self.twice
            if span.seconds > LONGEST_TWICE
        ]
        return found + [f"claim {epoch} of {stream} was acted upon twice" for stream, epoch in self.reused]


class _Spans:
    """The whiles for which streams are in one state."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self.over: list[Span] = []

    def are(self, streams: set[str], now: float) -> None:
        """These are, from now on, and no others."""
        for stream in self._since.keys() - streams:
            since = self._since.pop(stream)
            self.over.append(Span(stream, since, now - since))
        for stream in streams:
            self._since.setdefault(stream, now)


def judge(seen: Sequence[Observed], streams: Iterable[str], until: float) -> Judgement:
    """Ask the rules.

    Args:
        seen: in any order.
        streams: all that the replicas share.
        until: when nothing more was looked at: monotonic seconds.
    """
    names = set(streams)
    world, unowned, twice = Moment(), _Spans(), _Spans()
    for each in sorted(seen, key=lambda each: each.at):
        world.take(each)
        unowned.are(world.unowned(names), each.at)
        twice.are(world.twice(), each.at)
    unowned.are(set(), until)
    twice.are(set(), until)
    claims = Counter((each.stream, each.epoch) for each in seen if isinstance(each, Gained))
    reused = [claim for claim, times in claims.items() if times > 1]
    return Judgement(unowned.over, twice.over, reused)
