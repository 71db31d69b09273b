"""What must hold of a cluster whatever is done to it, asked of all that was seen of it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.moment import Moment
from tests.faults.observed import Gained, Observed
from tests.faults.told import BEGUN, KeptEvent, Told

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


@dataclass
class EventJudgement:
    """Of what one run kept and told of events."""

    outrun: list[tuple[KeptEvent, int, int]] = field(default_factory=list)
    """Events that are kept though they began while a newer claim was known for long: their own epoch, and that one."""
    begun_twice: list[str] = field(default_factory=list)
    """Events that the receiver was told of as new by more than one notification."""
    news_twice: list[tuple[str, str]] = field(default_factory=list)
    """Listeners that were told of one event as new more than once, and the event."""
    untold: list[KeptEvent] = field(default_factory=list)
    """Events that the receiver was never told of."""

    @property
    def complaints(self) -> list[str]:
        """What was broken, in sentences."""
        found = [
            f"{event.replica} kept an event of {event.stream} that began at {event.began_at:.1f} under claim {epoch}, "
            f"after claim {newer}"
            for event, epoch, newer in self.outrun
        ]
        found += [f"event {event} was told as new by two notifications" for event in self.begun_twice]
        found += [f"event {event} was told as new twice at {listener}" for listener, event in self.news_twice]
        return found + [f"event {event.id} of {event.stream} was told to nobody" for event in self.untold]


def judge_events(seen: Sequence[Observed], told: Told) -> EventJudgement:
    """Ask the rules that are of events.

    An event carries no epoch: it began under the newest claim that the replica which kept it had said to act upon by
    then. For as long as two may run a stream, both may keep what begins.

    Args:
        seen: of the replicas, in any order.
        told: what was kept, and told to whom.
    """
    gained = defaultdict[str, list[Gained]](list)
    for each in seen:
        if isinstance(each, Gained):
            gained[each.stream].append(each)
    begun = Counter(event for _, event in {(each.id, each.event) for each in told.letters if each.kind == BEGUN})
    news = Counter((each.listener, each.event) for each in told.news)
    return EventJudgement(
        list(_outrun(told.kept, gained)),
        [event for event, times in begun.items() if times > 1],
        [each for each, times in news.items() if times > 1],
        list(told.untold),
    )


def _outrun(kept: Iterable[KeptEvent], gained: dict[str, list[Gained]]) -> Iterator[tuple[KeptEvent, int, int]]:
    for event in kept:
        before = [each for each in gained[event.stream] if each.at <= event.began_at]
        own = max((each.epoch for each in before if each.replica == event.replica), default=0)
        known = (each.epoch for each in before if each.at < event.began_at - LONGEST_TWICE)
        newer = max(known, default=0)
        if newer > own:
            yield event, own, newer
