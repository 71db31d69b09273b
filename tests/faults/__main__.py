"""One cluster, as many runs as asked for, and a verdict; exit code 1 where a rule was broken."""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.actor import Actor
from tests.faults.invariants import Judgement, judge
from tests.faults.moment import moment_of
from tests.faults.network import CAMERAS, machines
from tests.faults.observed import Observed
from tests.faults.results import Results
from tests.faults.schedule import Fault, faults
from tests.peers.clip import make_clip
from tests.peers.process import Process, free_port, run_process
from tests.peers.rtsp_server import run_rtsp_server

WITHIN = 30.0
"""Seconds in which a run's faults begin."""
SETTLING = 20.0
"""Seconds after the last is mended in which all must be well again."""
HOST = f"{CAMERAS}.254"
"""Where cameras and the model server are."""
PATIENCE = 180.0
"""Seconds for a cluster to begin."""


class Cluster:
    """Three machines, their programs, and the streams."""

    def __init__(self, actors: Sequence[Actor], streams: Sequence[str]) -> None:
        self.actors, self.streams = actors, streams
        self.began = time.monotonic()

    def seen(self) -> list[Observed]:
        """All so far."""
        return [each for actor in self.actors for each in tuple(actor.seen)]

    def owners(self) -> dict[str, list[str]]:
        """Who runs what, as they say."""
        moment = moment_of(self.seen())
        return {stream: moment.owners(stream) for stream in self.streams}

    def is_whole(self) -> bool:
        """Whether each stream is run by one of them."""
        return all(len(names) == 1 for names in self.owners().values())

    async def settle(self, within: float) -> bool:
        """Wait until it is; returns whether it came so far."""
        until = time.monotonic() + within
        while not self.is_whole() and time.monotonic() < until:  # noqa: ASYNC110  threads read what is looked at
            await asyncio.sleep(0.2)
        return self.is_whole()


@contextmanager
def cluster(count: int, streams: int, folder: Path) -> Iterator[Cluster]:
    """Have one for as long as the block lasts."""
    with ExitStack() as stack:
        made = stack.enter_context(machines(count))
        clip = make_clip(folder / "road.mp4", width=160, height=120, seconds=20, fps=5, gop=10)
        camera = stack.enter_context(run_rtsp_server({f"/{number}": clip for number in range(streams)}, host=HOST))
        port, names = free_port(), [f"line-{number}" for number in range(streams)]
        stack.enter_context(model_server(port))
        config: dict[str, Any] = {
            "access": {"anonymous": ["view", "metrics"]},
            "serving": {"address": f"{HOST}:{port}", "model": "insulators"},
            "streams": {
                name: {"url": f"rtsp://{HOST}:{camera.port}/{number}", "sample_fps": 1}
                for number, name in enumerate(names)
            },
        }
        actors = [Actor(machine, made, folder, config) for machine in made]
        for actor in actors:
            stack.callback(actor.close)
            actor.start_store()
        for actor in actors:
            actor.start()
        yield Cluster(actors, names)


@contextmanager
def model_server(port: int) -> Iterator[Process]:
    """One that answers at once, at every address."""
    command = [sys.executable, "-m", "tests.peers.fake_model_server", str(port), HOST]
    with run_process(command, ready="serving") as process:
        yield process


async def suffer(cluster: Cluster, fault: Fault) -> None:
    """Bring a fault about when it is its turn, and mend it."""
    await asyncio.sleep(fault.at)
    actor = cluster.actors[fault.machine]
    begin, end = deeds(actor)[fault.kind]
    await asyncio.to_thread(begin)
    await asyncio.sleep(fault.seconds)
    await asyncio.to_thread(end)
    while not actor.is_up:  # noqa: ASYNC110  a thread reads that it serves
        await asyncio.sleep(0.2)


def deeds(actor: Actor) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    """How each kind of fault begins, and how it ends."""
    return {
        "kill": (actor.kill, actor.start),
        "leave": (actor.leave, actor.start),
        "stop": (actor.stop, actor.go_on),
        "cut": (actor.cut, actor.mend),
        "store": (actor.kill_store, actor.start_store),
    }


async def run_once(cluster: Cluster, seed: int) -> list[str]:
    """One run: its faults, and what was broken by then."""
    drawn, began = faults(seed, len(cluster.actors), WITHIN), time.monotonic()
    await asyncio.gather(*(suffer(cluster, fault) for fault in drawn))
    complaints = [] if await cluster.settle(SETTLING) else [f"not whole after {SETTLING:.0f} s: {odd(cluster)}"]
    judged = judge(cluster.seen(), cluster.streams, time.monotonic())
    unowned = [span for span in judged.unowned if span.since >= began]
    twice = [span for span in judged.twice if span.since >= began]
    complaints += Judgement(unowned, twice, judged.reused).complaints
    longest = max((span.seconds for span in unowned), default=0.0), max((span.seconds for span in twice), default=0.0)
    print(f"seed {seed}: {'; '.join(map(str, drawn))}")
    print(f"    unowned at most {longest[0]:.1f} s, by two at most {longest[1]:.2f} s", flush=True)
    for complaint in complaints[:10]:
        print(f"    BROKEN: {complaint}", flush=True)
    return complaints


def odd(cluster: Cluster) -> dict[str, list[str]]:
    """The first streams that are not run by one."""
    return dict([each for each in cluster.owners().items() if len(each[1]) != 1][:5])


async def measure_death(cluster: Cluster) -> None:
    """kill -9 of one: how long its streams had no results, and what became of the others'."""
    results = Results([actor.url for actor in cluster.actors])
    listening = asyncio.create_task(results.run())
    await asyncio.sleep(20)
    owners, victim = cluster.owners(), cluster.actors[0]
    orphans = [stream for stream, names in owners.items() if names == [victim.name]]
    await asyncio.to_thread(victim.kill)
    died = time.monotonic()
    await asyncio.sleep(20)
    gaps = sorted(gap for stream in orphans if (gap := results.gap(stream, died)) is not None)
    others = [stream for stream in cluster.streams if stream not in orphans]
    before = sum(results.count(stream, died - 15, died) for stream in others)
    after = sum(results.count(stream, died, died + 15) for stream in others)
    print(f"killed {victim.name}, which ran {len(orphans)} streams: {len(gaps)} have results again,")
    if gaps:
        p95 = gaps[int(0.95 * (len(gaps) - 1))]
        print(f"    after p50 {statistics.median(gaps):.1f} s, p95 {p95:.1f} s, at most {gaps[-1]:.1f} s")
    print(f"    the others' results: {after / before:.3f} of before" if before else "    the others had none")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await asyncio.to_thread(victim.start)
    await cluster.settle(60)


async def everything(cluster: Cluster, seeds: Sequence[int], death: bool) -> int:
    """All runs; returns how many broke a rule."""
    if not await cluster.settle(PATIENCE):
        print(f"the cluster did not begin: {odd(cluster)}", *(actor.lines[-3:] for actor in cluster.actors), sep="\n")
        return 1
    print(f"whole after {time.monotonic() - cluster.began:.1f} s", flush=True)
    if death:
        await measure_death(cluster)
    return sum([bool(await run_once(cluster, seed)) for seed in seeds])


def main() -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--streams", type=int, default=30, help="small cameras (default 30)")
    parser.add_argument("--runs", type=int, default=50, help="of random faults (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next has the next (default 1)")
    parser.add_argument("--death", action="store_true", help="first measure what a kill -9 costs")
    parser.add_argument("--keep", type=Path, help="a folder for all logs; it must not be there yet")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-faults-")))
        folder.mkdir(exist_ok=given.keep is None)
        joined = stack.enter_context(cluster(3, given.streams, folder))
        broken = asyncio.run(everything(joined, range(given.seed, given.seed + given.runs), given.death))
    print(f"{given.runs} runs, {broken} broke a rule")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
