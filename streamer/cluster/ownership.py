"""Which streams one replica runs, and what it does next about the others. Pure: time comes with every call.

A stream is gained when the bucket says that it is ours, whoever wrote that: we by taking it, another by handing it on.
It is lost when a newer claim names another. So the bucket alone decides, and of two owners the lower epoch lets go.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from streamer.cluster.assignment import assign
from streamer.cluster.claims import Claim, Claims
from streamer.cluster.liveness import DEAD_AFTER, Liveness
from streamer.cluster.member import Member
from streamer.cluster.rebalancing import PAUSE, next_move
from streamer.cluster.shared import SharedStream

SETTLING = 2.0
"""Seconds of listening before anything is claimed: replicas that start together share from the beginning."""
SPEECHLESS_AFTER = 3.0
"""Seconds without an answer to our own record after which NATS is away: before the others call us dead."""
DEAF_AFTER = 2.5
"""Seconds without our own record, which comes back each second, after which others' silence says nothing: before theirs
would have them judged dead."""
STALLED_AFTER = 2.0
"""Seconds between two turns after which we were the ones who slept, and nobody is blamed for a silence."""
IMPATIENT_AFTER = 2.0
"""Seconds for which a stream that nobody owns is left to whom it belongs; then whoever is there takes it, above its
bound too: pictures come before balance."""


@dataclass(frozen=True, slots=True)
class Claiming:
    """To be written: a claim to a stream, for ourselves, or for whom we hand it on to."""

    stream: str
    owner: str
    last: int
    """The revision it is to replace; 0: there is none. Written only where that is still so."""


@dataclass(frozen=True, slots=True)
class Giving:
    """To be deleted: our claim to a stream."""

    stream: str
    last: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """To be cleared away: the record of a member that is long dead."""

    member: str


Step = Claiming | Giving | Clearing
Standing = Literal["away", "settling", "member"]


class Ownership:
    """Of one replica."""

    def __init__(
        self,
        me: str,
        *,
        on_gain: Callable[[str, int], None],
        on_loss: Callable[[str], None],
        on_failover: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Own nothing yet, and hear nobody.

        Args:
            me: our member's id.
            on_gain: told of a stream that we are to run, and the epoch of our claim; of one that we run, where the
                epoch is a newer one. Must not raise.
            on_loss: told of a stream that we are to run no more. Must not raise.
            on_failover: told the seconds since the last word of a dead owner whose stream we gain. Must not raise.
        """
        self.me, self._name = me, me.rpartition("-")[0]
        self.held: dict[str, int] = {}
        """What we run: the epoch of our claim by the stream's name. 0: of a bucket that is no more."""
        self._on_gain, self._on_loss, self._on_failover = on_gain, on_loss, on_failover
        self._streams: dict[str, SharedStream] = {}
        self.pushed: set[str] = set()
        """Names of streams that are pushed to us: nobody else can run them, and no member is given them."""
        self.cannot: frozenset[str] = frozenset()
        """Those we cannot run, as our record says."""
        self._liveness, self._claims = Liveness(), Claims()
        self._let_go: dict[str, int] = {}
        """The newest epoch by which we ran what we run no more."""
        self.bucket = ""
        """When the bucket was made that was heard last."""
        self._listens_since: float | None = None
        self._unowned_since: dict[str, float] = {}
        self._spoke_at = self._turned_at = self._changed_at = self._weighed_at = float("-inf")

    # ---- what there is to know

    def share(self, streams: Iterable[SharedStream]) -> None:
        """Know all streams that the replicas share; those that are gone are given up with the next turn."""
        self._streams = {stream.name: stream for stream in streams}
        for name in [name for name, epoch in self.held.items() if not epoch and not self._is_wanted(name)]:
            self.lets_go(name)  # its claim was lost with the bucket: there is none to give up

    def opens(self, bucket: str) -> None:
        """Begin to hear what a bucket holds: all is told anew.

        What was known is of no use, in the same bucket neither: a server that lost its last writes counts their
        revisions again.

        Args:
            bucket: when it was made: revisions are its own.
        """
        self._claims.forget()
        self._liveness.forget()
        if bucket != self.bucket:
            self.bucket = bucket
            self._let_go.clear()
            self.held = dict.fromkeys(self.held, 0)

    def listens(self, now: float) -> None:
        """Have heard all that the bucket holds, and hear what is new from now on."""
        self._listens_since = now
        self._blames_nobody(now)

    def deaf(self) -> None:
        """Hear nothing any more."""
        self._listens_since = None

    def spoke(self, now: float) -> None:
        """Have our own record written, at a time when it was sent."""
        self._spoke_at = max(self._spoke_at, now)

    def heard_member(self, member: Member, revision: int, now: float) -> bool:
        """Take in a member's record; whether it did not live before."""
        is_new = not self._liveness.lives(member.id, now)
        self._liveness.heard(member, revision, now)
        return is_new

    def heard_good_bye(self, member: str, revision: int) -> None:
        """Take in that a member's record was deleted."""
        self._liveness.left(member, revision)

    def heard_claim(self, claim: Claim, now: float) -> None:
        """Take in a claim, of whomever; also of our own, as soon as it is written."""
        before = self._claims.of(claim.stream)
        if not self._claims.heard(claim):
            return
        self._changed_at = now
        if claim.owner == self.me:
            held = self.held.get(claim.stream)
            if held is None and claim.epoch <= self._let_go.get(claim.stream, 0):
                return  # as while NATS was away: it takes a new epoch, which is asked for
            self.held[claim.stream] = max(claim.epoch, held or 0)
            if held is None:
                self._note_failover(before, now)
            if (
                held is None or claim.epoch > held
            ):  # who had it meanwhile, unheard, may have kept events by an older one
                self._on_gain(claim.stream, claim.epoch)
        else:
            self.lets_go(claim.stream)

    def _note_failover(self, before: Claim | None, now: float) -> None:
        dead_for = None if before is None or before.owner is None else self._liveness.dead_for(before.owner, now)
        if dead_for is not None:
            self._on_failover(dead_for)

    def lets_go(self, stream: str) -> None:
        """Run a stream no more."""
        epoch = self.held.pop(stream, None)
        if epoch is not None:
            self._let_go[stream] = epoch
            self._on_loss(stream)

    # ---- what to do

    def standing(self, now: float) -> Standing:
        """Whether NATS is away, so that nothing is claimed; or we only begin to listen; or all is well."""
        if self._listens_since is None or now - self._spoke_at >= SPEECHLESS_AFTER:
            return "away"
        return "settling" if now - self._listens_since < SETTLING else "member"

    def hears(self, revision: int) -> bool:
        """Whether our own record came back to us since we listen, of that revision or a newer one."""
        return self._listens_since is not None and self._liveness.knows(self.me, revision)

    def knows_who_lives(self, now: float) -> bool:
        """Whether we take part, and hear ourselves: then who is not heard is not there."""
        return self.standing(now) == "member" and self._hears_itself(now)

    def _hears_itself(self, now: float) -> bool:
        return self._liveness.silence(self.me, now) < DEAF_AFTER

    def twins(self, now: float) -> list[str]:
        """Other members that live and have our name, as of a machine that was cloned; not our own former life."""
        since, alive = self._listens_since, self._liveness.alive(now)
        heard = [] if since is None else self._liveness.heard_since(self._name, since)
        return [key for key in heard if key != self.me and key in alive]

    def owners(self, now: float) -> dict[str, str]:
        """The living owners' ids by the names of streams, as far as we know."""
        alive = self._liveness.alive(now)
        return {stream: owner for stream, owner in self._claims.owners().items() if owner in alive}

    def owner(self, stream: str, now: float) -> Member | None:
        """Who owns a stream, and lives, as far as we know."""
        claim = self._claims.of(stream)
        return None if claim is None or claim.owner is None else self._liveness.alive(now).get(claim.owner)

    def epoch(self, stream: str) -> int:
        """Of the newest claim to a stream, which another has to replace; 0: there never was one."""
        claim = self._claims.of(stream)
        return 0 if claim is None else claim.epoch

    def members(self, now: float) -> dict[str, Member]:
        """Those who live, by their ids."""
        return self._liveness.alive(now)

    def turn(self, now: float) -> list[Step]:
        """Say what is to be written now. What comes of it is heard like anything else."""
        if now - self._turned_at >= STALLED_AFTER:
            self._blames_nobody(now)
        self._turned_at = now
        standing = self.standing(now)
        if now - self._spoke_at >= SPEECHLESS_AFTER:  # and not with each connection that ends, and is made anew
            self._release()
        if standing != "member":
            return []
        if not self._hears_itself(now):  # then what others write may not come either; and when it does, not all at once
            self._blames_nobody(now)
            return []
        alive = self._liveness.alive(now)
        gone = dict.fromkeys((*self._liveness.long_dead(now), *self._former_lives()))
        clearing = [Clearing(member) for member in gone]
        return [*clearing, *self._given_up(), *(self._taken(alive, now) or self._moved(alive, now))]

    def _former_lives(self) -> list[str]:
        """Ours before a restart: in the seconds for which we have listened they would have spoken. Nobody need wait."""
        since = self._listens_since
        return [] if since is None else [key for key in self._liveness.unheard(self._name, since) if key != self.me]

    def _blames_nobody(self, now: float) -> None:
        """For what was not done while we did not listen."""
        self._liveness.listens_anew(now)
        self._unowned_since.clear()

    def _release(self) -> None:
        for name in list(self.held):
            stream = self._streams.get(name)
            if stream is not None and stream.on_partition == "release":
                self.lets_go(name)

    def _given_up(self) -> list[Giving]:
        """Our claims to streams that are no more, or that we cannot run."""
        return [
            Giving(claim.stream, claim.epoch)
            for claim in self._claims
            if claim.owner == self.me and not self._is_wanted(claim.stream)
        ]

    def _is_wanted(self, stream: str) -> bool:
        """Whether it is one that we may run."""
        return (stream in self._streams or stream in self.pushed) and stream not in self.cannot

    def _taken(self, alive: dict[str, Member], now: float) -> list[Claiming]:
        """Streams that nobody owns who lives, and that are ours; or another's who does not come for them."""
        owners = self._claims.owners()
        # After a bucket's loss: who runs a stream claims it, so that it need not stop.
        owners |= {stream: self.me for stream in self.held if stream not in owners}
        assigned = assign(self._streams.values(), alive, owners)
        claims = {name: self._claims.of(name) for name in assigned}
        ours = [name for name, owner in assigned.items() if owner == self.me]
        # One that we let go of while NATS was away may be claimed by us still: it takes a new epoch to be run again.
        taken = [name for name in ours if name not in self.held or not self._is_ours(claims[name])]
        unowned = [name for name in assigned if owners.get(name) not in alive]
        self._unowned_since = {name: self._unowned_since.get(name, now) for name in unowned}
        late = (name for name, since in self._unowned_since.items() if now - since >= IMPATIENT_AFTER)
        taken += [name for name in late if name not in taken]
        able = [name for name in taken if name not in self.cannot]
        return [Claiming(name, self.me, self.epoch(name)) for name in [*able, *self._pushed(alive)]]

    def _pushed(self, alive: dict[str, Member]) -> list[str]:
        """Those pushed to us that nobody has a claim to who lives, and are not claimed by us."""
        owners = {name: claim.owner if (claim := self._claims.of(name)) else None for name in self.pushed}
        return [
            name
            for name, owner in owners.items()
            if name not in self.held or owner != self.me
            if owner == self.me or owner not in alive
        ]

    def _is_ours(self, claim: Claim | None) -> bool:
        return claim is not None and claim.owner == self.me

    def _moved(self, alive: dict[str, Member], now: float) -> list[Claiming]:
        """A stream of ours that another is to have: one, and only after a second in which no owner changed."""
        if now - max(self._changed_at, self._weighed_at) < PAUSE or self._liveness.listens_for(now) < DEAD_AFTER:
            return []  # of who was silent before we listened nobody knows yet whether he lives
        self._weighed_at = now
        move = next_move(self._streams.values(), alive, self._claims.owners())
        if move is None or move.giver != self.me:
            return []
        return [Claiming(move.stream, move.taker, self.epoch(move.stream))]
