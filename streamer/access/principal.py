"""Who asks, and what he may. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from streamer.access.action import Action
from streamer.values.name import is_within

Kind = Literal["open", "nobody", "user", "token", "proxy", "link"]
"""open: nobody is asked who he is. nobody: he did not say. user: signed in. token: a program. proxy: as a trusted proxy
says. link: what a signed link alone shows."""

EVERY_STREAM = ("*",)


@dataclass(frozen=True, slots=True)
class Grant:
    """Some actions on some streams."""

    actions: frozenset[Action]
    streams: tuple[str, ...] = EVERY_STREAM
    """Names, or patterns with * and ?."""

    def covers(self, stream: str) -> bool:
        """Whether a stream of this name is among them."""
        return any(fnmatchcase(stream, pattern) for pattern in self.streams)

    def covers_all(self, pattern: str) -> bool:
        """Whether each stream that a name or pattern may mean is among them, by a single pattern of its own."""
        return any(is_within(pattern, wider) for wider in self.streams)


@dataclass(frozen=True, slots=True)
class Principal:
    """One of whoever asks."""

    kind: Kind
    name: str
    """As the audit has it: "anna", "token grafana"; "nobody" who did not say."""
    grants: tuple[Grant, ...] = ()

    def may(self, action: Action, stream: str | None = None) -> bool:
        """Whether he may do this; to that stream, where one is named, else to some or to none."""
        return any(action in grant.actions and (stream is None or grant.covers(stream)) for grant in self.grants)

    def sees(self, stream: str) -> bool:
        """Whether a stream exists for him."""
        return self.may(Action.VIEW, stream)

    def may_everywhere(self, action: Action) -> bool:
        """Whether he may do this whatever the stream."""
        return any(action in grant.actions and "*" in grant.streams for grant in self.grants)

    def may_all(self, action: Action, pattern: str) -> bool:
        """Whether he may do this to each stream that a name or pattern may mean, those to come among them."""
        return any(action in grant.actions and grant.covers_all(pattern) for grant in self.grants)

    @property
    def actions(self) -> frozenset[Action]:
        """All he may do to some stream or to none."""
        return frozenset[Action]().union(*(grant.actions for grant in self.grants))

    def with_grants(self, more: Iterable[Grant]) -> "Principal":
        """The same, who may more."""
        return Principal(self.kind, self.name, (*self.grants, *more))
