"""A replica among others, as the configuration has it: which streams they share, which are ours, where others run.

Nothing of it is imported where the configuration has no section `cluster`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from streamer import config
from streamer.cluster.bucket import NatsAway, Outrun
from streamer.cluster.member import Member, new_life
from streamer.cluster.ownership import Ownership, Standing
from streamer.cluster.registry import Kind, Record, Registry, Writing
from streamer.cluster.replica import Replica as OwnReplica
from streamer.cluster.servers import Servers, Tls
from streamer.cluster.shared import SharedStream
from streamer.config import ClusterSettings, StreamSettings
from streamer.control.roster import Entry, Roster, settings_of
from streamer.control.statefile import Kept
from streamer.values.clock import Clock
from streamer.values.errors import ConfigError, Refused
from streamer.values.name import is_name
from streamer.values.replica import Replica

log = logging.getLogger(__name__)

HAND_OVER = 3.0
"""Seconds that handing over may take; then the others learn it from our silence."""
LOOK = 0.5
"""Seconds from one look at who runs what to the next."""
DUTY = "duty/"
"""What the names of claims begin with that are no streams': no stream's name has a slash."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What became of a record."""

    revision: int
    stream: StreamSettings | None
    """None: it cannot be run here."""
    why: str = ""


class Clustering:
    """One service's."""

    def __init__(self, settings: ClusterSettings, *, clock: Clock) -> None:
        """Join nothing yet.

        Args:
            settings: of this replica.
            clock: monotonic seconds.
        """
        self.me = settings.member
        self.key = settings.key.encode()
        """What replicas sign with what they pass on to each other."""
        self.on_duty: list[Callable[[], None]] = []
        """Told that what is run once in the cluster has come to us, or has left us."""
        self.on_change: Callable[[], Awaitable[None]] = _nobody
        """Called when there are other streams, or others of them are ours."""
        self._clock = clock
        self._member = Member(
            name=self.me,
            life=new_life(),
            url=settings.url,
            capacity=settings.capacity,
            version=version("sightline"),
            labels=settings.labels,
        )
        self._ownership = Ownership(self._member.id, on_gain=self._gained, on_loss=self._lost)
        self._registry = Registry(self._changed)
        self._replica = OwnReplica(
            _servers(settings),
            settings.name,
            self._member,
            self._ownership,
            self._registry,
            copies=settings.copies,
            clock=clock,
        )
        self._news = asyncio.Event()
        self._read: dict[tuple[Kind, str], _Read] = {}
        self._duties: frozenset[str] = frozenset()
        self._published: set[str] = set()
        self._mine: dict[str, dict[str, Any]] = {}
        self._warned: set[str] = set()
        self._last_owners: dict[str, str] = {}
        self._last_members: dict[str, Member] = {}

    # ---- its life

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        return {"cluster": self._replica.run, "cluster-streams": self._follow, "cluster-watch": self._watch}

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.on_change()
            except BaseException:
                self._news.set()
                raise

    async def hand_over(self) -> None:
        """Leave: the others take our streams at once, and we run none any more."""
        try:
            async with asyncio.timeout(HAND_OVER):
                await self._replica.hand_over()
        except TimeoutError:
            log.warning("NATS does not answer; the other replicas learn from our silence that we have left")

    # ---- what the replicas share

    def say(self, streams: Mapping[str, Any]) -> None:
        """Have the other replicas know the streams of our file.

        Args:
            streams: as they are written there, with their ${NAME}.
        """
        self._mine = {name: settings for name, settings in streams.items() if is_name(name) and _is_mapping(settings)}
        self._replica.say(self._mine)
        self._changed()

    def roster(self) -> Roster:
        """The streams that there are to be, of all replicas."""
        file = {name: found for name in self._registry.of("file") if (found := self._of("file", name)) is not None}
        added = {name: found for name in self._registry.of("added") if (found := self._of("added", name)) is not None}
        return Roster(file, added, frozenset(self._registry.of("paused")))

    def of_ours(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Those that we are to run."""
        return {name: entry for name, entry in entries.items() if name in self._ownership.held}

    async def keep(self, before: Kept, after: Kept) -> None:
        """Write what the API changed.

        Args:
            before: what is known to whoever made the change.
            after: what is to be.

        Raises:
            Refused: 409 another replica was first; 503 NATS is away. Nothing was changed.
        """
        try:
            await self._replica.write(self._writings(before, after))
        except Outrun:
            raise Refused(409, "another replica has just changed that stream; look at it, and try again") from None
        except NatsAway as away:
            raise Refused(503, f"streams cannot be changed while NATS is away: {away}; nothing was changed") from None

    def _writings(self, before: Kept, after: Kept) -> list[Writing]:
        found = []
        for name in sorted(before.paused ^ after.paused):
            if (name in self._registry.of("paused")) != (name in before.paused):
                raise Outrun
            found.append(self._registry.writing("paused", name, {} if name in after.paused else None))
        for name in sorted(before.streams.keys() | after.streams.keys()):
            said = after.streams.get(name)
            if said == before.streams.get(name):
                continue
            known = self._of("added", name) if name in self._registry.of("added") else None
            if (None if known is None else settings_of(known)) != before.streams.get(name):
                raise Outrun
            found.append(self._registry.writing("added", name, said))
        return found

    # ---- where they run

    @property
    def standing(self) -> Standing:
        """Whether NATS is away, or we only begin to listen, or all is well."""
        return self._ownership.standing(self._clock())

    def of(self, stream: str) -> Replica | None:
        """Who else runs a stream, and lives; None: we do, or nobody does."""
        if stream in self._ownership.held:
            return None
        now = self._clock()
        if self._ownership.standing(now) == "away":
            owner = self._last_members.get(self._last_owners.get(stream, ""))
        else:
            owner = self._ownership.owner(stream, now)
        return None if owner is None or owner.id == self._member.id else Replica(owner.name, owner.url)

    def is_shared(self, stream: str) -> bool:
        """Whether the replicas share a stream of that name."""
        if stream in self._registry.names:
            return True
        return is_name(stream) and (stream in self._ownership.held or self.of(stream) is not None)

    def others(self) -> tuple[Replica, ...]:
        """Those who live, by name."""
        now = self._clock()
        is_away = self._ownership.standing(now) == "away"
        members = self._last_members if is_away else self._ownership.members(now)
        found = sorted((each for each in members.values() if each.id != self._member.id), key=lambda each: each.id)
        return tuple(Replica(each.name, each.url) for each in found)

    def streams(self) -> tuple[str, ...]:
        """The names of all shared streams, in the order in which they are shown."""
        return tuple(self.roster().entries())

    async def _watch(self) -> None:
        """Remember who runs what, for when NATS is away: they may be reached all the same."""
        while True:
            now = self._clock()
            if self._ownership.standing(now) != "away":
                self._last_owners, self._last_members = self._ownership.owners(now), self._ownership.members(now)
            await asyncio.sleep(LOOK)

    # ---- what runs once in the cluster, and is no stream

    def share_duties(self, names: Iterable[str]) -> None:
        """Have these run once in the cluster, such as outlets."""
        self._duties = frozenset(DUTY + name for name in names)
        self._share()

    def has_duty(self, name: str) -> bool:
        """Whether one of them is ours."""
        return DUTY + name in self._ownership.held

    # ---- what changes

    def _gained(self, stream: str, epoch: int) -> None:
        log.info("runs %s from now on, by claim %d", stream, epoch)
        self._moved(stream)

    def _lost(self, stream: str) -> None:
        log.info("runs %s no more", stream)
        self._moved(stream)

    def _moved(self, stream: str) -> None:
        if not stream.startswith(DUTY):
            self._news.set()
            return
        for told in self.on_duty:
            told()

    def _changed(self) -> None:
        """The registry has news."""
        self._share()
        self._warn()
        self._news.set()

    def _share(self) -> None:
        """Have all streams shared that any replica may run; those that are pushed run where they come to."""
        shared, pushed, not_here = [], set(self._published), set()
        for name, record in (self._registry.of("added") | self._registry.of("file")).items():
            kind: Kind = "added" if record.replica is None else "file"
            stream = self._of(kind, name)
            if stream is None:
                not_here.add(name)
                shared.append(SharedStream(name))
            elif not stream.listen:
                shared.append(SharedStream(name, stream.labels, stream.on_partition))
            elif self._is_pushed_here(record):
                pushed.add(name)
        self._replica.cannot(not_here)
        self._replica.push(pushed)
        self._replica.share([*shared, *map(SharedStream, sorted(self._duties))])

    def _is_pushed_here(self, record: Record) -> bool:
        return record.replica == self.me

    def _of(self, kind: Kind, name: str) -> StreamSettings | None:
        """What a record says, as it is here; None: it cannot be."""
        record = self._registry.of(kind)[name]
        read = self._read.get((kind, name))
        if read is None or read.revision != record.revision:
            parse = config.parse_shared_stream if kind == "file" else config.parse_stream
            try:
                read = _Read(record.revision, parse(name, dict(record.settings)))
            except ConfigError as error:
                read = _Read(record.revision, None, str(error))
            self._read[kind, name] = read
        return read.stream

    def _warn(self) -> None:
        """Say once what the operator should know."""
        there = {(kind, name) for kind in ("file", "added") for name in self._registry.of(kind)}
        self._read = {key: read for key, read in self._read.items() if key in there}
        warnings = {
            f"{name}: is left to other replicas: {read.why}"
            for (_, name), read in self._read.items()
            if read.stream is None
        }
        warnings |= {
            f"{name}: the configuration file of {other} says something else of it, and was first"
            for name, other in self._registry.conflicts(self._mine, self.me).items()
        }
        for warning in sorted(warnings - self._warned):
            log.warning("%s", warning)
        self._warned = warnings


async def _nobody() -> None:
    return


def _is_mapping(settings: Any) -> bool:
    return isinstance(settings, dict)


def _servers(settings: ClusterSettings) -> Servers:
    tls = settings.tls
    return Servers(settings.servers, settings.token, None if tls is None else Tls(tls.ca, tls.cert, tls.key))
