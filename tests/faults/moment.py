"""How things stand at one moment, by all that was seen until then."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.faults.observed import Gained, Lost, Observed, Saw, State, Stored, Turned


class Moment:
    """Who is how, sees the store, and runs what."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.runs: defaultdict[str, set[str]] = defaultdict(set)
        self._blind = set[str]()
        """Those that say that NATS is away."""
        self._stores = set[str]()
        """Machines whose NATS server runs."""

    def take(self, seen: Observed) -> None:
        """Go on to when this was seen."""
        match seen:
            case Gained():
                self.runs[seen.replica].add(seen.stream)
            case Lost():
                self.runs[seen.replica].discard(seen.stream)
            case Saw():
                (self._blind.discard if seen.is_there else self._blind.add)(seen.replica)
            case Stored():
                (self._stores.add if seen.is_up else self._stores.discard)(seen.replica)
            case Turned():
                self.states[seen.replica] = seen.state
                if seen.state == "dead":
                    self.runs[seen.replica].clear()
                    self._blind.discard(seen.replica)

    def owners(self, stream: str) -> list[str]:
        """Who runs a stream, as they say."""
        return [name for name, streams in self.runs.items() if stream in streams]

    def unowned(self, streams: Iterable[str]) -> set[str]:
        """What nobody runs, while somebody could: who is up, and does not say that NATS is away."""
        if not self._of("up").difference(self._blind):
            return set()
        return set(streams).difference(*(self.runs[name] for name in self._of("up", "cut")))

    def twice(self) -> set[str]:
        """What two run who are up, while most machines have a store and reach each other's.

        Who is cut off runs on, as he should: video first.
        """
        joined = {name for name in self._stores if self.states.get(name) != "cut"}
        if len(joined) <= len(self.states) / 2:
            return set()
        counted = Counter(stream for name in self._of("up") for stream in self.runs[name])
        return {stream for stream, count in counted.items() if count > 1}

    def _of(self, *states: State) -> set[str]:
        return {name for name, state in self.states.items() if state in states}


def moment_of(seen: Iterable[Observed]) -> Moment:
    """How things stand after all of that, in whatever order it comes."""
    moment = Moment()
    for each in sorted(seen, key=lambda each: each.at):
        moment.take(each)
    return moment
