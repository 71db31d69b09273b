"""What is kept and told of events, as seen from outside: rows, a receiver's letters, listeners' news. Values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BEGUN = "alert"
"""The kind of a letter that says that something has begun."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """A row of the archive's table."""

    id: str
    stream: str
    replica: str
    """That kept it."""
    began_at: float
    """Monotonic seconds of the machine, as of everything here."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A receiver was told once."""

    id: str
    """Of the notification: the same at each attempt."""
    kind: str
    event: str


@dataclass(frozen=True, slots=True)
class News:
    """Who listens at a replica's stream of events was told of one that is new."""

    listener: str
    event: str


@dataclass(frozen=True, slots=True)
class Told:
    """All of one run."""

    kept: tuple[KeptEvent, ...] = ()
    letters: tuple[Letter, ...] = ()
    news: tuple[News, ...] = ()

    @property
    def untold(self) -> Iterator[KeptEvent]:
        """Those that were kept, and that no letter says the beginning of."""
        begun = {letter.event for letter in self.letters if letter.kind == BEGUN}
        return (event for event in self.kept if event.id not in begun)

    @property
    def repeated(self) -> int:
        """Letters that were brought once more: at-least-once allows it."""
        return len(self.letters) - len({letter.id for letter in self.letters})


@dataclass
class Ears:
    """All that was told since the beginning; what is of some events is asked for."""

    letters: list[Letter] = field(default_factory=list)
    news: list[News] = field(default_factory=list)

    def of(self, kept: Iterable[KeptEvent]) -> Told:
        """What was told of these."""
        kept = tuple(kept)
        ids = {event.id for event in kept}
        return Told(
            kept,
            tuple(letter for letter in self.letters if letter.event in ids),
            tuple(news for news in self.news if news.event in ids),
        )


def letter_of(document: Mapping[str, Any]) -> Letter | None:
    """What a notification's document says; None: it is of no event."""
    event = document["event"]
    return None if event is None else Letter(document["id"], document["kind"], event["id"])
