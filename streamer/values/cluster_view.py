"""A cluster as one of its replicas sees it, for whoever looks at it from outside. docs/design/cluster.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from streamer.values.distribution import Distribution

FAILOVER = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 30.0)
"""Seconds from an owner's last word to another's claim: a silence of four is what a death is told by."""

Standing = Literal["away", "settling", "member"]
"""NATS is away, so that nothing is claimed; or the replica only begins to listen; or all is well."""


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """One that lives."""

    name: str
    version: str
    capacity: int
    load: int
    """Streams that it runs."""
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StreamView:
    """One that the replicas share, or that is published to one of them."""

    name: str
    replica: str | None
    """Who runs it, and lives."""
    epoch: int
    """Of the newest claim to it; 0: there never was one."""
    reason: str | None
    """Why the replica that is asked cannot run it."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """All of it, at one moment."""

    me: str
    standing: Standing
    replicas: tuple[ReplicaView, ...]
    streams: tuple[StreamView, ...]
    owned: int
    """Streams that we run."""
    owned_twice: int
    """How many more streams the replicas say that they run than have an owner."""
    claims_lost: int
    """Streams that another replica has instead of us, since the start."""
    failovers: Distribution
    """Seconds from a dead owner's last word until its stream was ours, since the start."""
    sent: int
    """Messages that we sent on NATS's subjects."""
    dropped: int
    """Those that were not, since NATS was away or slow."""
    unreadable: int
    """Records and messages that were none of a replica's."""

    @property
    def unowned(self) -> int:
        """Streams that nobody runs who lives."""
        return sum(stream.replica is None for stream in self.streams)


class Cluster(Protocol):
    """What can be asked how it is."""

    def view(self) -> ClusterView:
        """As it is now."""
