"""Replicas of the room, without the service, that share streams by a real NATS."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from streamer.cluster.member import Member, new_life
from streamer.cluster.ownership import Ownership
from streamer.cluster.rebalancing import next_move
from streamer.cluster.replica import Replica
from streamer.cluster.servers import Servers
from streamer.cluster.shared import SharedStream
from streamer.values.clock import monotonic
from tests.peers.until import until


class Actor:
    """One replica, and what it was told to run and to run no more."""

    def __init__(self, name: str, urls: Sequence[str], streams: Sequence[SharedStream], copies: int) -> None:
        self.member = Member(name=name, life=new_life(), url=f"http://{name}:8080", capacity=10)
        self.told: list[tuple[str, int | None]] = []
        """Streams gained, with the epoch, and lost, with None; in order."""
        self.ownership = Ownership(
            self.member.id,
            on_gain=lambda stream, epoch: self.told.append((stream, epoch)),
            on_loss=lambda stream: self.told.append((stream, None)),
        )
        servers = Servers(tuple(urls))
        self.replica = Replica(servers, "test", self.member, self.ownership, copies=copies)
        self.replica.share(streams)
        self.task = asyncio.create_task(self.replica.run())

    @property
    def runs(self) -> set[str]:
        """The streams that it was told to run, and not yet to stop."""
        running = set[str]()
        for stream, epoch in self.told:
            (running.discard if epoch is None else running.add)(stream)
        return running

    @property
    def is_away(self) -> bool:
        """Whether it says that NATS is."""
        return self.ownership.standing(monotonic()) == "away"

    async def kill(self) -> None:
        """End it without a word to anybody."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def acting(
    names: str, urls: Sequence[str], streams: Sequence[SharedStream], *, copies: int = 1
) -> AsyncIterator[list[Actor]]:
    """Several, one a letter."""
    actors = [Actor(name, urls, streams, copies) for name in names]
    try:
        yield actors
    finally:
        for actor in actors:
            await actor.kill()


async def all_are_run_once(actors: Sequence[Actor], streams: Sequence[SharedStream]) -> None:
    """Wait until each stream is run by one of them."""
    wanted = {stream.name: 1 for stream in streams}
    await until(lambda: Counter(stream for actor in actors for stream in actor.runs) == wanted)


async def all_is_settled(actors: Sequence[Actor], streams: Sequence[SharedStream]) -> None:
    """Wait until each is run by one of them, and none is to move: one who came late is given streams one by one."""
    members = {actor.member.id: actor.member for actor in actors}

    def is_settled() -> bool:
        owners = {stream: actor.member.id for actor in actors for stream in actor.runs}
        return len(owners) == len(streams) and next_move(streams, members, owners) is None

    await until(is_settled)
    await all_are_run_once(actors, streams)


def epochs(actors: Sequence[Actor]) -> Counter[tuple[str, int]]:
    """How often each claim was acted upon, by stream and epoch."""
    return Counter((stream, epoch) for actor in actors for stream, epoch in actor.told if epoch is not None)
