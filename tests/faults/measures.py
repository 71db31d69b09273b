"""What a death and planned restarts cost, as viewers see it: the seconds for which streams have no results."""

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from tests.faults.actor import Actor
from tests.faults.cluster import KEY_FRAMES, Cluster, NotWhole
from tests.faults.observed import Gained
from tests.faults.results import Results
from tests.faults.runs import PATIENCE

BEYOND = 1.0
"""Seconds beyond one from key frame to key frame for which a stream may be without pictures in a planned restart."""
BEFORE, AFTER = 10.0, 15.0
"""Seconds that are looked at before the first restart, and after each, in which streams are brought back."""


async def measure_death(cluster: Cluster) -> None:
    """kill -9 of one: how long its streams had no results, and what became of the others'."""
    async with _results(cluster) as results:
        await asyncio.sleep(20)
        owners, victim = cluster.owners(), cluster.actors[0]
        orphans = [stream for stream, names in owners.items() if names == [victim.name]]
        await asyncio.to_thread(victim.kill)
        died = time.monotonic()
        await asyncio.sleep(20)
    gaps = [gap for stream in orphans if (gap := results.gap(stream, died)) is not None]
    others = [stream for stream in cluster.streams if stream not in orphans]
    before = sum(results.count(stream, died - 15, died) for stream in others)
    after = sum(results.count(stream, died, died + 15) for stream in others)
    print(f"killed {victim.name}, which ran {len(orphans)} streams: {len(gaps)} have results again,")
    if gaps:
        print(f"    after {_spread(gaps)}")
    print(f"    the others' results: {after / before:.3f} of before" if before else "    the others had none")
    await asyncio.to_thread(victim.start)
    await cluster.settle(60)


async def measure_restart(cluster: Cluster) -> bool:
    """SIGTERM of each in turn, and a new start: the longest that streams had no results; whether none was too long."""
    bound = KEY_FRAMES + BEYOND
    async with _results(cluster) as results:
        await asyncio.sleep(BEFORE)
        began = time.monotonic() - BEFORE / 2
        for actor in cluster.actors:
            await _restart(cluster, actor)
        ended = time.monotonic()
    gaps = {stream: results.longest(stream, began, ended)[1] for stream in cluster.streams}
    late = sorted((stream for stream, gap in gaps.items() if gap > bound), key=lambda stream: -gaps[stream])
    moves = sum(
        len([each for each in cluster.moves(stream, began, ended) if isinstance(each, Gained)])
        for stream in cluster.streams
    )
    print(
        f"restarted {len(cluster.actors)} replicas in turn, {ended - began:.0f} s, in which {len(gaps)} streams moved "
        f"{moves} times: the longest that one had no results\n    {_spread(list(gaps.values()))}; asked {bound:.1f} s, "
        f"missed by {len(late)}",
        flush=True,
    )
    for stream in late[:10]:
        since, seconds = results.longest(stream, began, ended)
        print(f"    MISSED: {stream} had none for {seconds:.2f} s from {since - began:.2f} s on; it moved:")
        for each in cluster.moves(stream, since - 2, since + seconds + 1):
            print(f"        {each.at - began:7.2f} s {each.replica} {type(each).__name__.lower()} it")
    return not late


async def _restart(cluster: Cluster, actor: Actor) -> None:
    """And wait until all hear of it again, and it had time to be given its share."""
    await asyncio.to_thread(actor.leave)
    await asyncio.to_thread(actor.start)
    await cluster.up(actor, PATIENCE)
    until = time.monotonic() + PATIENCE
    while not await _all_heard(cluster):
        if time.monotonic() > until:
            raise NotWhole(f"{actor.name} is not heard by all after {PATIENCE:.0f} s")
        await asyncio.sleep(0.2)
    await asyncio.sleep(AFTER)
    await cluster.settle(PATIENCE)


async def _all_heard(cluster: Cluster) -> bool:
    """Whether each replica says that all live."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
        for url in cluster.urls:
            try:
                async with client.get(f"{url}/metrics") as answer:
                    found = re.search(r"^sightline_cluster_members (\S+)", await answer.text(), re.MULTILINE)
            except (aiohttp.ClientError, TimeoutError):
                return False
            if found is None or float(found[1]) < len(cluster.actors):
                return False
    return True


@asynccontextmanager
async def _results(cluster: Cluster) -> AsyncIterator[Results]:
    results = Results(cluster.urls)
    listening = asyncio.create_task(results.run())
    try:
        yield results
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return f"p50 {statistics.median(ordered):.2f} s, p95 {p95:.2f} s, at most {ordered[-1]:.2f} s"
