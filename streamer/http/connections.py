"""The connections that are open: how many may be, in all and from one address, and which goes for a newcomer. Pure.

One that is of use to nobody now goes first: its request has not come to its end, or it waits for the next one. So who
opens many and says little keeps nobody out.
"""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from streamer.values.clock import Clock
from streamer.values.host import network_of

REQUEST_TIMEOUT = 10.0
"""Seconds from a connection, or from a request's first byte, to the end of its headers."""
IDLE_TIMEOUT = 75.0
"""Seconds from an answer to the next request: more than the 60 after which nginx lets go a connection that it keeps."""
WRITE_TIMEOUT = 30.0
"""Seconds a peer may leave what it is sent untaken."""

MOST_KNOWN = 256
"""Addresses of replicas; a cluster has a few, and whoever makes them up has its key."""

REASONS = ("crowded", "descriptors", "idle", "refused", "slow", "stuck")
"""Why one was ended, or not let in."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be."""

    total: int
    per_address: int


class Open(Protocol):
    """One connection, from the moment it was taken."""

    address: str
    waits_since: float | None
    """Monotonic seconds since when nothing is done for it; None: something is."""

    @property
    def ends_at(self) -> float:
        """Monotonic seconds at which it has waited, or been waited for, long enough."""

    @property
    def overdue(self) -> str:
        """Why it ends then: one of REASONS."""

    def abort(self) -> None:
        """End it at once, whatever is still to be sent. It forgets itself."""


class Connections:
    """Those of one port."""

    def __init__(self, limits: ConnectionLimits, clock: Clock, *, trusted: Container[str] = ()) -> None:
        """Begin with none.

        Args:
            limits: may be changed; who is there stays.
            clock: monotonic seconds.
            trusted: addresses of proxies, each of which speaks for many.
        """
        self.limits = limits
        self.ended: Counter[str] = Counter()
        """By REASONS."""
        self.clock = clock
        self._trusted = trusted
        self._replicas: set[str] = set()
        """Addresses by which another replica of the cluster has asked for somebody, each for many, too."""
        self._open: list[Open] = []

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, address: str) -> bool:
        """Whether there is room for one from an address, or can be made."""
        network = network_of(address)
        others = [each for each in self._open if network_of(each.address) == network]
        if len(others) >= self.limits.per_address and not self._speaks_for_many(address):
            admitted = self._end_one("crowded", others)
        elif len(self._open) >= self.limits.total:
            admitted = self._end_one("crowded", self._of_the_busiest())
        else:
            admitted = True
        if not admitted:
            self.ended["refused"] += 1
        return admitted

    def know(self, address: str) -> None:
        """A replica of the cluster asks from there."""
        if len(self._replicas) < MOST_KNOWN:
            self._replicas.add(address)

    def add(self, connection: Open) -> None:
        """One was let in."""
        self._open.append(connection)

    def remove(self, connection: Open) -> None:
        """One has ended; may be called twice."""
        if connection in self._open:
            self._open.remove(connection)

    def make_room(self) -> bool:
        """End one for want of descriptors, if one is of no use now."""
        return self._end_one("descriptors", self._open)

    def end_overdue(self) -> None:
        """End those that were waited for long enough."""
        now = self.clock()
        for each in [each for each in self._open if each.ends_at <= now]:
            self._end(each, each.overdue)

    def end_waiting(self) -> None:
        """End those that say nothing, and those that take nothing, for the service stops and would wait for them."""
        for each in [each for each in self._open if each.waits_since is not None or each.overdue == "stuck"]:
            each.abort()

    def _speaks_for_many(self, address: str) -> bool:
        return address in self._trusted or address in self._replicas

    def _of_the_busiest(self) -> list[Open]:
        """Those that wait, of the address that has most of them."""
        waiting = [each for each in self._open if each.waits_since is not None]
        most = Counter(network_of(each.address) for each in waiting).most_common(1)
        return [each for each in waiting if network_of(each.address) == most[0][0]] if most else []

    def _end_one(self, reason: str, among: list[Open]) -> bool:
        waiting = [(each.waits_since, each) for each in among if each.waits_since is not None]
        if not waiting:
            return False
        self._end(min(waiting, key=lambda pair: pair[0])[1], reason)
        return True

    def _end(self, connection: Open, reason: str) -> None:
        self.ended[reason] += 1
        self.remove(connection)
        connection.abort()
