"""What many runs came to: a line each, and one for the documentation. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MOST_COMPLAINTS = 10
"""Said of one run."""


@dataclass
class Line:
    """One run's."""

    seed: int
    faults: tuple[str, ...]
    unowned: float = 0.0
    """The longest that a stream was run by nobody, while somebody was up: seconds."""
    twice: float = 0.0
    """The longest that two who were up ran one: seconds."""
    events: int = 0
    """That were kept."""
    repeated: int = 0
    """Letters that were brought once more."""
    seconds: float = 0.0
    complaints: list[str] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Whether anything was, or it could not be told."""
        return bool(self.complaints)

    def __str__(self) -> str:
        figures = f"{self.unowned:7.1f} {self.twice:6.2f} {self.events:6d} {self.repeated:8d} {self.seconds:7.0f}"
        return f"{self.seed:4d} {figures}  {'BROKEN' if self.is_broken else 'well  '}  {'; '.join(self.faults)}"

    def said(self) -> Iterator[str]:
        """With what was broken, below it."""
        yield str(self)
        yield from (f"     BROKEN: {complaint}" for complaint in self.complaints[:MOST_COMPLAINTS])
        if (more := len(self.complaints) - MOST_COMPLAINTS) > 0:
            yield f"     and {more} more"


HEADING = "seed unowned  twice events repeated seconds"


def table(lines: Sequence[Line], machines: int, streams: int, asked: int) -> Iterator[str]:
    """All of them, and what they come to.

    Args:
        lines: of the runs that there were.
        machines: how many replicas.
        streams: how many of those.
        asked: how many runs there were to be.
    """
    yield HEADING
    for line in lines:
        yield from line.said()
    broken = sum(line.is_broken for line in lines) + asked - len(lines)
    faults, events = sum(len(line.faults) for line in lines), sum(line.events for line in lines)
    yield (
        f"{len(lines)} of {asked} runs, {broken} broke a rule, broke off or were not made: "
        f"{machines} replicas, {streams} streams, {faults} faults; "
        f"nobody ran a stream for {max((line.unowned for line in lines), default=0.0):.1f} s at most, "
        f"two for {max((line.twice for line in lines), default=0.0):.2f} s; of {events} events "
        f"{sum(line.repeated for line in lines)} letters came once more"
    )
