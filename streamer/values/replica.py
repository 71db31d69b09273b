"""Where the streams of a cluster run, as far as one of its replicas knows. docs/design/cluster.md."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Replica:
    """Another one that lives, as far as we know."""

    name: str
    url: str
    """Where the others reach it, such as "http://10.0.0.7:8000", with no slash at the end."""


class Whereabouts(Protocol):
    """What a replica knows of the others now; asked anew for each request."""

    me: str
    """Our own replica's name."""

    def of(self, stream: str) -> Replica | None:
        """Who else runs a stream, and lives; None: we do, or nobody does."""

    def is_shared(self, stream: str) -> bool:
        """Whether the replicas share a stream of that name."""

    def streams(self) -> tuple[str, ...]:
        """Names of all that the replicas share, in the order in which they are shown."""

    def others(self) -> tuple[Replica, ...]:
        """Those who live, by name."""
