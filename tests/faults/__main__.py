"""One cluster, as many runs as asked for, and a verdict; exit code 1 where a rule was broken."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.faults.cluster import HOST, Cluster, cluster
from tests.faults.listening import kept_since, listening
from tests.faults.measures import measure_death, measure_restart
from tests.faults.report import HEADING, Line, table
from tests.faults.runs import run_once

MACHINES = 3
BEGINNING = 180.0
"""Seconds for a cluster to begin."""


async def everything(cluster: Cluster, seeds: Sequence[int], *, death: bool, restart: bool) -> int:
    """All that is asked for, and what it came to; returns how much of it broke a rule."""
    async with listening(cluster.receiver, HOST, cluster.urls) as cluster.ears:
        return await _everything(cluster, seeds, death=death, restart=restart)


async def _everything(cluster: Cluster, seeds: Sequence[int], *, death: bool, restart: bool) -> int:
    if not await cluster.settle(BEGINNING):
        said = (actor.lines[-3:] for actor in cluster.actors)
        print(f"the cluster did not begin: {cluster.odd()}", *said, sep="\n")
        return 1
    print(f"whole after {cluster.age:.1f} s", flush=True)
    broken = 0
    if death:
        await measure_death(cluster)
    if restart:
        broken += not await measure_restart(cluster)
    return broken + await all_runs(cluster, seeds)


async def all_runs(cluster: Cluster, seeds: Sequence[int]) -> int:
    """One after the other, each said as it ends, and all of them at the end, however that comes."""
    lines = list[Line]()
    if not seeds:
        return 0
    cluster.last_kept, _ = await asyncio.to_thread(kept_since, cluster.database, 0)
    print(HEADING, flush=True)
    try:
        for seed in seeds:
            lines.append(await run_once(cluster, seed))
            print(*lines[-1].said(), sep="\n", flush=True)
    finally:
        print("\n", *table(lines, len(cluster.actors), len(cluster.streams), len(seeds)), sep="\n", flush=True)
    return sum(line.is_broken for line in lines)


def main() -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--streams", type=int, default=30, help="small cameras (default 30)")
    parser.add_argument("--runs", type=int, default=50, help="of random faults (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next has the next (default 1)")
    parser.add_argument("--death", action="store_true", help="first measure what a kill -9 costs")
    parser.add_argument("--restart", action="store_true", help="first measure what restarting each in turn costs")
    parser.add_argument("--sample-fps", type=float, help="of each stream (default 1, with --restart all of 5)")
    parser.add_argument("--keep", type=Path, help="a folder for all logs; it must not be there yet")
    given = parser.parse_args()
    sample_fps = given.sample_fps or (5.0 if given.restart else 1.0)
    seeds = range(given.seed, given.seed + given.runs)
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-faults-")))
        folder.mkdir(exist_ok=given.keep is None)
        joined = stack.enter_context(cluster(MACHINES, given.streams, folder, sample_fps))
        try:
            broken = asyncio.run(everything(joined, seeds, death=given.death, restart=given.restart))
        except KeyboardInterrupt:  # what there was has been said
            return 130
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
