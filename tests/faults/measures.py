"""What a death costs, as viewers see it: the seconds for which streams have no results."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.faults.cluster import Cluster
from tests.faults.results import Results


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
