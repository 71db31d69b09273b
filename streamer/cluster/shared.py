"""A stream as the replicas share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from streamer.cluster.member import Member

OnPartition = Literal["keep", "release"]
"""What its owner does when NATS is away: run it on, or let go of it, since the camera bears one client only."""


@dataclass(frozen=True, slots=True)
class SharedStream:
    """Its name, and what matters to who owns it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Such as site: north; it would rather be where the member has the same."""
    on_partition: OnPartition = "keep"

    def nearness(self, member: Member) -> int:
        """How many of its labels a member has."""
        return sum(member.labels.get(key) == value for key, value in self.labels.items())
