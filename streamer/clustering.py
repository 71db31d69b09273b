"""A replica among others, as the configuration has it: which streams they share, which are ours, where others run.

Nothing of it is imported where the configuration has no section `cluster`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any, cast
from weakref import WeakValueDictionary

from streamer.cluster.bucket import LARGEST, NatsAway, Outrun, Rejected
from streamer.cluster.member import Member, new_life
from streamer.cluster.ownership import Ownership, Standing
from streamer.cluster.registry import Registry, Writing
from streamer.cluster.replica import Replica as OwnReplica
from streamer.cluster.replica import Unsent
from streamer.cluster.servers import Servers, Tls
from streamer.cluster.subjects import Subjects
from streamer.config import ClusterSettings
from streamer.control.roster import Entry, Roster
from streamer.control.shared_roster import SharedRoster
from streamer.control.statefile import Kept, StateFile
from streamer.control.streams import TAKEN
from streamer.control.takeover import Takeover
from streamer.values.clock import Clock
from streamer.values.cluster_view import FAILOVER, ClusterView, ReplicaView, StreamView
from streamer.values.distribution import Distribution
from streamer.values.epoch import Epoch
from streamer.values.errors import Refused
from streamer.values.name import is_name
from streamer.values.recording import Recording
from streamer.values.replica import Replica

log = logging.getLogger(__name__)

HAND_OVER = 3.0
"""Seconds that handing over may take; then the others learn it from our silence."""
OUTRUN = "another replica has just changed that stream; look at it, and try again"
FRAME = 256
"""Bytes of a record beside a stream's settings, at the most."""
LOOK = 0.5
"""Seconds from one look at who runs what to the next."""


class Clustering:
    """One service's."""

    def __init__(self, settings: ClusterSettings, state: StateFile | None = None, *, clock: Clock) -> None:
        """Join nothing yet.

        Args:
            settings: of this replica.
            state: what the API changed before it was one, which is read, and taken over; None: nothing.
            clock: monotonic seconds.
        """
        self.me = settings.member
        self.key = settings.key.encode()
        """What replicas sign with what they pass on to each other."""
        self.authority = None if settings.tls is None else settings.tls.ca
        """A file of who signed for NATS, and may have for replicas; None: those whom the system knows alone."""
        self.on_gained: list[Callable[[str, Epoch], None]] = []
        """Told of each stream that is ours from now on, and by which claim."""
        self.on_unclaimed: list[Callable[[str], None]] = []
        """Told of what is published to us while NATS is away. Must not raise."""
        self.on_lost: list[Callable[[str], None]] = []
        """Told of each stream that is not ours any more: its camera is let go of at once."""
        self.on_change: Callable[[], Awaitable[None]] = _nobody
        """Called when there are other streams, or others of them are ours."""
        self.on_published_elsewhere: Callable[[str], None] = _nothing
        """Told the name of a stream that is published to us, and that another replica has now."""
        self.claims_lost = 0
        """Streams that another replica has instead of us."""
        self.failovers = Distribution(FAILOVER)
        """Seconds from a dead owner's last word until its stream was ours."""
        self._clock = clock
        self._member = Member(
            name=self.me,
            life=new_life(),
            url=settings.url,
            capacity=settings.capacity,
            version=version("sightline"),
            labels=settings.labels,
        )
        self._ownership = Ownership(
            self._member.id, on_gain=self._gained, on_loss=self._lost, on_failover=self.failovers.observe
        )
        self._registry = Registry(self._changed)
        self._roster = SharedRoster(self._registry)
        self._replica = OwnReplica(
            _servers(settings),
            settings.name,
            self._member,
            self._ownership,
            self._registry,
            copies=settings.copies,
            clock=clock,
        )
        self._takeover = Takeover(state, self._registry)
        self._replica.inherited = lambda: self._takeover.due(self._mine)
        self.subjects = Subjects(
            _servers(settings), settings.name, self.me, epoch_of=lambda stream: self._ownership.held.get(stream)
        )
        """What we tell of our streams, and hear of the others'."""
        self._news, self._is_behind = asyncio.Event(), False
        self._mine: dict[str, dict[str, Any]] = {}
        self._published: set[str] = set()
        self._claiming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._warned: set[str] = set()
        self._last_owners: dict[str, str] = {}
        self._last_members: dict[str, Member] = {}

    # ---- its life

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "cluster": self._replica.run,
            "cluster-streams": self._follow,
            "cluster-watch": self._watch,
            "cluster-subjects": self.subjects.run,
        }
        return tasks | ({"cluster-takeover": self._takeover.run} if self._takeover.is_due else {})

    async def hand_over(self) -> None:
        """Leave: the others take our streams at once, and we run none any more."""
        try:
            async with asyncio.timeout(HAND_OVER):
                await self._replica.hand_over()
        except TimeoutError:
            log.warning("NATS does not answer; the other replicas learn from our silence that we have left")

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                self._take_in()
                await self.on_change()
            except BaseException:
                self._news.set()
                raise

    async def _watch(self) -> None:
        """Remember who runs what, for when NATS is away: they may be reached all the same."""
        while True:
            now = self._clock()
            if self._ownership.standing(now) != "away":
                self._last_owners, self._last_members = self._ownership.owners(now), self._ownership.members(now)
            await asyncio.sleep(LOOK)

    # ---- what the replicas share

    def say(self, streams: Mapping[str, Any]) -> None:
        """Have the other replicas know the streams of our file.

        Args:
            streams: as they are written there, with their ${NAME}.
        """
        self._mine = {
            name: said for name, settings in streams.items() if (said := _as_said(name, settings)) is not None
        }
        self._replica.say(self._mine)
        self._changed()

    def roster(self) -> Roster:
        """The streams that there are to be, of all replicas, but for those that cannot be run here."""
        return self._roster.roster()

    def reason(self, stream: str) -> str | None:
        """Why a stream cannot be run here; None: it can."""
        return self._roster.reason(stream)

    def recordings(self) -> dict[str, Recording | None] | None:
        """What the shared streams say of their recordings, those among them that cannot be run here.

        None of a stream: it cannot be read here. None at all: the registry was not heard yet.
        """
        return self._roster.recordings(self._mine, self._takeover.streams) if self._registry.is_heard else None

    def of_ours(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Those that we are to run."""
        return {name: entry for name, entry in entries.items() if name in self._ownership.held}

    async def keep(self, before: Kept, after: Kept) -> None:
        """Write what the API changed.

        Args:
            before: what is known to whoever made the change.
            after: what is to be.

        Raises:
            Refused: 409 another replica was first; 503 NATS is away; 422 it is too large.
        """
        try:
            writings = self._roster.writings(before, after)
        except Outrun:
            raise Refused(409, OUTRUN) from None
        if any(len(each.record) > LARGEST for each in writings):
            raise Refused(422, f"a stream's settings are {LARGEST - FRAME} bytes at the most; leave some out")
        await self._write(writings)

    async def forget(self, stream: str) -> bool:
        """Take a stream away that stands in the file of a replica that does not live; False: there is none such.

        Raises:
            Refused: as `keep`.
        """
        record = self._registry.record("file", stream)
        alive = {each.name for each in self._members().values()}
        if record is None or self.standing != "member" or record.replica in alive | {self.me}:
            return False
        await self._write([self._registry.writing("file", stream, None)])
        return True

    async def _write(self, writings: list[Writing]) -> None:
        try:
            await self._replica.write(writings)
        except Outrun:
            raise Refused(409, OUTRUN) from None
        except Rejected as why:
            raise Refused(422, f"the other replicas cannot be told of that stream: {why}") from None
        except Unsent as away:
            raise Refused(503, f"streams cannot be changed while NATS is away: {away}; nothing was changed") from None
        except NatsAway as away:
            raise Refused(503, f"NATS is away: {away}; the stream may have been changed or not: look at it") from None

    # ---- what is published to us

    async def claim(self, stream: str) -> None:
        """Have a stream that is published to us as ours. While NATS is away it is, until that is back.

        Whatever comes of it, who asked for it and does not publish then lets go of it.

        Raises:
            Refused: 409 the replicas share a stream of that name, or another has it.
        """
        # One after the other: of two at once the second would be outrun by the first, which has it for us.
        async with self._claiming.setdefault(stream, asyncio.Lock()):
            if self._registry.has(stream) or self.of(stream) is not None:
                raise Refused(409, f"there is a stream {stream!r} already; publish under another name", TAKEN)
            self._published.add(stream)
            self._changed()  # the name may have been let go of, and be given up just now: then it is claimed again
            if stream in self._ownership.held:
                return
            try:
                await self._replica.take(stream)
            except Outrun:
                sentence = f"another replica was given {stream!r} just now; publish under another name"
                raise Refused(409, sentence, TAKEN) from None
            except NatsAway:
                for tell in self.on_unclaimed:
                    tell(stream)

    def let_go(self, stream: str) -> None:
        """Have it no more as one that is published to us."""
        if stream in self._published:
            self._published.discard(stream)
            self._changed()

    # ---- where they run

    @property
    def standing(self) -> Standing:
        """Whether NATS is away, or we only begin to listen, or all is well."""
        return self._ownership.standing(self._clock())

    def of(self, stream: str) -> Replica | None:
        """Who else runs a stream, and lives; None: we do, or nobody does."""
        if stream in self._ownership.held:
            return None
        if self.standing == "away":
            owner = self._last_members.get(self._last_owners.get(stream, ""))
        else:
            owner = self._ownership.owner(stream, self._clock())
        return None if owner is None or owner.name == self.me else Replica(owner.name, owner.url)

    def is_shared(self, stream: str) -> bool:
        """Whether the replicas share a stream of that name, or it is published to one of them."""
        return self._registry.has(stream) or stream in self._ownership.held or self.of(stream) is not None

    def others(self) -> tuple[Replica, ...]:
        """Those who live, by name."""
        found = {each.name: Replica(each.name, each.url) for each in self._members().values() if each.name != self.me}
        return tuple(found[name] for name in sorted(found))

    def streams(self) -> tuple[str, ...]:
        """The names of all streams, in the order in which they are shown: those that are published come last."""
        published = sorted(self._owners().keys() | self._ownership.held.keys())
        return tuple(dict.fromkeys((*self._registry.of("file"), *self._registry.of("added"), *published)))

    def view(self) -> ClusterView:
        """The cluster as we see it."""
        members, owners, held = self._members(), self._owners(), self._ownership.held
        owners |= dict.fromkeys(held, self._member.id)
        names = {key: each.name for key, each in members.items()} | {self._member.id: self.me}
        streams = (
            StreamView(name, names.get(owners.get(name, "")), self._ownership.epoch(name), self._roster.reason(name))
            for name in self.streams()
        )
        replicas = {
            each.name: ReplicaView(each.name, each.version, each.capacity, each.load, each.labels)
            for each in sorted(members.values(), key=lambda each: (each.name, each.id == self._member.id))
        }
        run = sum(len(held) if key == self._member.id else each.load for key, each in members.items())
        return ClusterView(
            self.me,
            self.standing,
            tuple(replicas.values()),
            tuple(streams),
            len(held),
            max(0, run - len(owners)) if self.standing == "member" else 0,
            self.claims_lost,
            self.failovers,
            self.subjects.sent,
            self.subjects.dropped,
            self.subjects.unreadable + self._registry.unreadable,
        )

    def _members(self) -> dict[str, Member]:
        return self._last_members if self.standing == "away" else self._ownership.members(self._clock())

    def _owners(self) -> dict[str, str]:
        return dict(self._last_owners) if self.standing == "away" else self._ownership.owners(self._clock())

    # ---- what changes

    def _gained(self, stream: str, epoch: int) -> None:
        log.info("runs %s from now on, by claim %d", stream, epoch)
        for tell in self.on_gained:
            tell(stream, Epoch(self._ownership.bucket, epoch))
        self._news.set()

    def _lost(self, stream: str) -> None:
        log.info("runs %s no more", stream)
        for tell in self.on_lost:
            tell(stream)
        owner = self._ownership.owner(stream, self._clock())
        if owner is not None and owner.id != self._member.id:
            self.claims_lost += 1
            if stream in self._published:
                self.on_published_elsewhere(stream)
        self._changed()

    def _changed(self) -> None:
        """The registry has news, which are taken in soon: many come together."""
        self._is_behind = True
        self._news.set()

    def _take_in(self) -> None:
        if not self._is_behind:
            return
        sharing = self._roster.sharing(self.me)
        self._replica.cannot(sharing.not_here)
        self._replica.push(sharing.listening | self._published)
        self._replica.share(sharing.shared)
        conflicts = self._registry.conflicts(self._mine, self.me).items()
        warnings = self._roster.warnings() | {
            f"{name}: the configuration file of {other} says something else of it, and was first"
            for name, other in conflicts
        }
        for warning in sorted(warnings - self._warned):
            log.warning("%s", warning)
        self._warned = warnings
        self._is_behind = False  # last: what fails is done again


async def _nobody() -> None:
    return


def _nothing(_: str) -> None:
    return


def _as_said(name: str, settings: Any) -> dict[str, Any] | None:
    """A stream's settings as they are read from a record: YAML has numbers as keys, and dates, and JSON neither."""
    try:
        record = json.dumps(settings)
    except (TypeError, ValueError):
        return None
    if not is_name(name) or not isinstance(settings, dict):
        return None
    if len(record) > LARGEST - FRAME:
        log.warning("%s: is not told to the other replicas: its settings are more than %d bytes", name, LARGEST - FRAME)
        return None
    return cast("dict[str, Any]", json.loads(record))


def _servers(settings: ClusterSettings) -> Servers:
    tls = settings.tls
    shown = None if tls is None else Tls(tls.ca, tls.cert, tls.key)
    return Servers(settings.servers, settings.token, settings.credentials, shown)
