"""A bucket and replicas of it in made-up time: what the room's pure part does, without NATS and without waiting."""

from collections import Counter
from dataclasses import dataclass, field

from streamer.cluster.claims import Claim
from streamer.cluster.member import Member
from streamer.cluster.ownership import Claiming, Clearing, Giving, Ownership
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import member

TICK = 0.25
"""Seconds."""


@dataclass
class Store:
    """What was written, in order; a record's revision is its place, from 1 on."""

    written: list[Member | str | Claim] = field(default_factory=list)
    """A member's record, the id of one that was deleted, or a claim."""
    last: dict[str, int] = field(default_factory=dict)
    """The newest revision by stream."""
    born: str = "first"

    def write(self, record: Member | str) -> None:
        """Whatever was there."""
        self.written.append(record)

    def claim(self, stream: str, owner: str | None, last: int) -> bool:
        """If the newest revision is still `last`."""
        if self.last.get(stream, 0) != last:
            return False
        self.last[stream] = len(self.written) + 1
        self.written.append(Claim(stream, owner, self.last[stream]))
        return True


class Puppet:
    """A replica whose life somebody else leads."""

    def __init__(self, name: str, life: int, store: Store, shared: list[SharedStream], offset: float) -> None:
        self.member = member(name, life=f"{life:08x}")
        self.epochs: list[tuple[str, int]] = []
        self.ownership = Ownership(
            self.member.id, on_gain=lambda *claim: self.epochs.append(claim), on_loss=lambda stream: None
        )
        self.ownership.share(shared)
        self.is_cut = self.is_stopped = False
        self._store, self._offset = store, offset
        self._read: int | None = None
        self._spoke_at = float("-inf")

    def live(self, time: float) -> None:
        """Do what a tick has room for."""
        now, ownership = time + self._offset, self.ownership
        if self.is_stopped:
            return
        if self.is_cut:
            ownership.deaf()
            self._read = None
            ownership.turn(now)
            return
        self._listen(now)
        if now - self._spoke_at >= 1.0:
            self._store.write(self.member)
            self._spoke_at = now
            ownership.spoke(now)
        for step in ownership.turn(now):
            match step:
                case Claiming(stream, owner, last):
                    self._store.claim(stream, owner, last)
                case Giving(stream, last):
                    self._store.claim(stream, None, last)
                case Clearing(gone):
                    self._store.write(gone)

    def _listen(self, now: float) -> None:
        begins, ownership = self._read is None, self.ownership
        if begins:
            ownership.opens(self._store.born)
        for revision, record in enumerate(self._store.written[self._read or 0 :], (self._read or 0) + 1):
            if isinstance(record, Claim):
                ownership.heard_claim(record, now)
            elif isinstance(record, Member):
                ownership.heard_member(record, revision, now)
            else:
                ownership.heard_good_bye(record, revision)
        self._read = len(self._store.written)
        if begins:
            ownership.listens(now)


class World:
    """A store and some puppets."""

    def __init__(self, names: str, shared: list[SharedStream]) -> None:
        self.store, self.shared, self.time = Store(), shared, 0.0
        self.puppets = [Puppet(name, 0, self.store, shared, 1000.0 * n) for n, name in enumerate(names)]
        self.ghosts: list[Puppet] = []

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / TICK)):
            self.time += TICK
            for puppet in self.puppets:
                puppet.live(self.time)

    def restart(self, number: int) -> None:
        """Kill one, and begin another life of it."""
        old = self.puppets[number]
        self.ghosts.append(old)
        life = len(self.ghosts)
        self.puppets[number] = Puppet(old.member.name, life, self.store, self.shared, 1000.0 * number + 7 * life)

    def runs(self) -> Counter[str]:
        """By how many each stream is run."""
        return Counter(stream for puppet in self.puppets if not puppet.is_stopped for stream in puppet.ownership.held)

    def is_whole(self) -> bool:
        """Whether each stream is run once."""
        return self.runs() == {stream.name: 1 for stream in self.shared}
