"""One replica of the cluster: its record each second, what it hears, and what it writes about the streams.

Video first: whatever becomes of NATS, what is run is run on, and another connection is tried.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from streamer.cluster.bucket import Bucket, CaughtUp, Echo, GoodBye, Heard, MemberHeard, NatsAway, Outrun, Rejected
from streamer.cluster.claims import Claim
from streamer.cluster.member import MOST_CANNOT, Member
from streamer.cluster.opening import first_opened
from streamer.cluster.ownership import Claiming, Clearing, Giving, Ownership, Step
from streamer.cluster.registry import RecordHeard, Registry, Writing
from streamer.cluster.servers import Servers
from streamer.cluster.shared import SharedStream
from streamer.values.clock import Clock, monotonic
from streamer.values.ending import heed
from streamer.values.task_group import together

BEAT = 1.0
"""Seconds from one record of ours to the next."""
TURN = 0.25
"""Seconds after which we look again at what is to be done, where nothing was heard."""
SILENT = 3.0
"""Seconds in which an opened bucket tells something, until it has told all: else another connection is tried."""
PAUSE = 0.25
"""Seconds from a connection's end to the next try, and from one look whether we hear ourselves to the next."""
LOOKS = 6
"""For what we wrote, which comes back within milliseconds. Looks and not seconds: a sleep of ours makes nobody deaf."""
STUCK_AFTER = 2.0
"""Seconds of being outrun by the same unheard writing after which all is read anew: somebody emptied the bucket."""

log = logging.getLogger(__name__)


class Unsent(NatsAway):
    """Nothing was written, for there is no connection, or we leave."""


class Replica:
    """Ours."""

    def __init__(
        self,
        servers: Servers,
        cluster: str,
        member: Member,
        ownership: Ownership,
        registry: Registry | None = None,
        *,
        copies: int = 1,
        clock: Clock = monotonic,
    ) -> None:
        """Connect nowhere yet.

        Args:
            servers: where NATS is.
            cluster: its name: letters, digits, _ and -.
            member: what the others are to know of us; its load is filled in.
            ownership: of this member, by its id.
            registry: of the streams that the replicas share; None: they are known otherwise.
            copies: NATS servers that hold the bucket, where we make it.
            clock: monotonic seconds.
        """
        self._servers, self._cluster, self._copies = servers, cluster, copies
        self._member, self._ownership, self._clock = member, ownership, clock
        self._registry = Registry() if registry is None else registry
        self._mine: Mapping[str, Mapping[str, Any]] = {}
        self.inherited: Callable[[], list[Writing]] = list
        """Gives what is to be written before our file's streams, for as long as it is not heard of."""
        self._bucket: Bucket | None = None
        self._told_at = clock()
        """When the bucket was opened, or told us something last."""
        self._echo = 0
        """Revision of the newest of our calls that came back from the bucket that is listened to."""
        self._leaves = False
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()
        self._is_away = self._is_stuck = self._has_twin = False
        self._outran: dict[str, tuple[int, float]] = {}
        """By what is to be written: the revision that it was to replace and was not the last, and since when."""
        self._rejected: set[str] = set()
        """What NATS does not take, and was told of."""

    def share(self, streams: Iterable[SharedStream]) -> None:
        """Know all streams that the replicas share."""
        self._ownership.share(streams)
        self._news.set()

    def say(self, streams: Mapping[str, Mapping[str, Any]]) -> None:
        """Have these in the registry as those of our file: settings by name."""
        self._mine = streams
        self._news.set()

    def push(self, streams: Iterable[str]) -> None:
        """Have these as pushed to us."""
        self._ownership.pushed = set(streams)
        self._news.set()

    def cannot(self, streams: Iterable[str]) -> None:
        """Leave these to others; with the next record they know."""
        names = frozenset(sorted(streams)[:MOST_CANNOT])
        self._ownership.cannot = names
        self._member = self._member.model_copy(update={"cannot": names})

    async def write(self, writings: Iterable[Writing]) -> None:
        """Change the registry; what comes of it is known when this returns.

        Raises:
            Outrun: another was first; what came before in order is written.
            Unsent: nothing is written.
            NatsAway: it may not be written, or only in part.
        """
        bucket = self._bucket
        if bucket is None or self._leaves:
            raise Unsent("there is no connection")
        for writing in writings:
            await self._do(writing, bucket)

    async def take(self, stream: str) -> None:
        """Claim one that is pushed to us, now.

        Raises:
            Outrun: another has it.
            NatsAway: it may not be written; it is claimed when NATS is back.
        """
        self._ownership.pushed.add(stream)
        bucket = self._bucket
        if bucket is None or self._leaves:
            raise NatsAway("there is no connection")
        last = self._ownership.epoch(stream)
        self._ownership.heard_claim(await bucket.claim(stream, self._ownership.me, last), self._clock())

    async def run(self) -> None:
        """Take part, until cancelled; what is run then is left as it is, and the others take it after 4 s."""
        await together(self._connect(), self._take_turns())

    async def hand_over(self) -> None:
        """Leave: say good-bye, give up all claims, and run nothing any more. The others take the streams at once."""
        async with self._writing:
            self._leaves = True
            bucket, ownership = self._bucket, self._ownership
            epochs = dict(ownership.held)
            for stream in epochs:  # first: with our good-bye the others take them
                ownership.lets_go(stream)
            with contextlib.suppress(NatsAway):  # then the others learn it from our silence
                if bucket is not None:
                    await bucket.clear(ownership.me)
                    for stream, epoch in epochs.items():
                        if epoch:  # of a bucket that is no more there is none
                            with contextlib.suppress(Outrun):  # one has it already
                                await bucket.give(stream, epoch)

    # ---- a connection, and the next

    async def _connect(self) -> None:
        while True:
            found = first_opened(
                self._servers, self._cluster, copies=self._copies, prove=self._prove, on_away=self._say_away
            )
            # The next one has its turn first: this one may take what is written, and tell nothing.
            self._servers = self._servers.from_the_second()
            try:
                async with found as bucket:
                    await together(self._listen(bucket), self._speak(bucket))
            except NatsAway as away:
                heed()
                self._say_away(away)
            finally:
                self._bucket = None
                self._ownership.deaf()
            await asyncio.sleep(PAUSE)

    async def _speak(self, bucket: Bucket) -> None:
        await self._sound(bucket)
        while True:
            heed()
            if self._is_stuck:
                raise NatsAway("the bucket is not what we have heard of it; it is read anew")
            async with self._writing:
                sent_at = self._clock()
                written = None if self._leaves else await bucket.speak(self._record())
            if written is not None:
                self._ownership.spoke(sent_at)
                await self._until_heard(partial(self._ownership.hears, written))
                self._say_here()
            await asyncio.sleep(BEAT - PAUSE)

    async def _sound(self, bucket: Bucket) -> None:
        """Call, until all was told and the call has come back: only then do we speak, and count as alive.

        After a partition a server that was cut off takes what is written, and tells of the bucket as it was, and of
        nothing new, for seconds: others would give us streams then, of which we would not hear.

        Raises:
            NatsAway: it does not come back.
        """
        called = await bucket.call(self._member.name)
        while self._bucket is not bucket:
            heed()
            if self._clock() - self._told_at >= SILENT:  # its watch was lost as it began
                raise NatsAway("it does not tell what it holds")
            await asyncio.sleep(PAUSE)
        await self._until_heard(lambda: self._echo >= called)

    async def _until_heard(self, is_heard: Callable[[], bool]) -> None:
        """Look whether what we wrote came back: the library does not always tell that its watch is lost.

        Raises:
            NatsAway: it does not.
        """
        for _ in range(LOOKS):
            await asyncio.sleep(PAUSE)
            heed()
            if is_heard():
                return
        if not self._leaves:
            raise NatsAway("what we write does not come back")

    async def _prove(self, bucket: Bucket) -> None:
        """Whether it takes anything. Waits for no other write: several are tried at once."""
        await bucket.call(self._member.name)

    def _record(self) -> Member:
        return self._member.model_copy(update={"load": len(self._ownership.held)})

    async def _listen(self, bucket: Bucket) -> None:
        self._told_at, self._echo = self._clock(), 0
        self._is_stuck = False
        self._outran.clear()
        self._ownership.opens(bucket.born)
        self._registry.opens(bucket.born)
        async with contextlib.aclosing(bucket.hear()) as news:
            async for heard in news:
                heed()
                self._told_at = self._clock()
                is_news = self._take_in(heard)
                if isinstance(heard, CaughtUp):
                    self._bucket = bucket
                    self._registry.caught_up()
                if is_news:
                    self._news.set()

    def _take_in(self, heard: Heard) -> bool:
        """Know it; False: it can wait for the next turn, as what each member says each second."""
        now = self._clock()
        match heard:
            case MemberHeard(member, revision):
                return self._ownership.heard_member(member, revision, now)
            case GoodBye(member, revision):
                self._ownership.heard_good_bye(member, revision)
            case Claim():
                if not self._leaves:
                    self._ownership.heard_claim(heard, now)
            case RecordHeard():
                self._registry.heard(heard)
            case Echo():
                if heard.replica == self._member.name:
                    self._echo = max(self._echo, heard.revision)
                return False
            case CaughtUp():
                self._ownership.listens(now)
        return True

    # ---- what is to be done

    async def _take_turns(self) -> None:
        while True:
            heed()
            self._news.clear()
            async with self._writing:
                if not self._leaves:
                    await self._take_turn()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN):
                    await self._news.wait()

    async def _take_turn(self) -> None:
        began = self._clock()
        # Who runs what comes first, whatever becomes of the registry. And it notices that we slept.
        steps: list[Step | Writing] = [*self._ownership.turn(began), *self._due(began)]
        for step in steps:
            # Nor may our own record wait for a slow store: what is left is asked for anew.
            if self._bucket is None or self._clock() - began > TURN:
                return
            try:
                await self._do(step, self._bucket)
            except Outrun:  # another was first, as it may; what it wrote we hear
                continue
            except Rejected as why:
                self._say_rejected(step, why)
            except NatsAway:  # who speaks will find that out too, and say so
                return

    def _due(self, now: float) -> list[Writing]:
        if self._bucket is None:
            return []
        alive = None
        if self._ownership.knows_who_lives(now):
            alive = {member.name for member in self._ownership.members(now).values()}
            self._say_twin(bool(self._ownership.twins(now)))
        if self._has_twin:  # we would write over each other for ever
            return [*self.inherited(), *self._registry.lost()]
        return [*self.inherited(), *self._registry.due(self._mine, self._member.name, alive)]

    async def _do(self, step: Step | Writing, bucket: Bucket) -> None:
        what = _what(step)
        try:
            match step:
                case Writing():
                    self._registry.heard(await bucket.write(step))
                case Claiming(stream, owner, last):
                    self._ownership.heard_claim(await bucket.claim(stream, owner, last), self._clock())
                case Giving(stream, last):
                    await bucket.give(stream, last)
                case _:
                    await bucket.clear(step.member)
        except Outrun:
            if not isinstance(step, Clearing):
                self._note_outrun(what, step.last)
            raise
        self._outran.pop(what, None)
        self._rejected.discard(what)

    def _note_outrun(self, what: str, last: int) -> None:
        """What outran us we hear within moments; if not, it was deleted in a way that nobody is told of."""
        now = self._clock()
        before, since = self._outran.get(what, (last, now))
        self._outran[what] = (last, since if before == last else now)
        self._is_stuck |= before == last and now - since >= STUCK_AFTER

    # ---- what is said

    def _say_away(self, away: NatsAway) -> None:
        if not self._is_away:
            self._is_away = True
            held = len(self._ownership.held)
            log.warning("NATS is away: %s; %d streams are run on, and nothing is claimed meanwhile", away, held)

    def _say_rejected(self, step: Step | Writing, why: Rejected) -> None:
        what = _what(step)
        if what not in self._rejected:
            self._rejected.add(what)
            log.warning("%s cannot be written for the other replicas: %s", what, why)

    def _say_twin(self, has_twin: bool) -> None:
        if has_twin and not self._has_twin:
            log.error(
                "another replica that runs is called %s, too, so the streams of our file are told to nobody: "
                "give one of both another name, cluster.replica",
                self._member.name,
            )
        self._has_twin = has_twin

    def _say_here(self) -> None:
        if self._is_away:
            log.info("NATS is back")
        self._is_away = False


def _what(step: Step | Writing) -> str:
    """What is written, for a sentence; each has one of its own."""
    match step:
        case Writing(kind, stream):
            return f"the record {kind} of {stream}"
        case Claiming(stream) | Giving(stream):
            return f"the claim to {stream}"
        case _:
            return f"the record of {step.member}"
