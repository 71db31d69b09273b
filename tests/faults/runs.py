"""One run: its faults, and what was broken by them."""

import asyncio
import time
from collections.abc import Callable

from tests.faults.actor import Actor
from tests.faults.cluster import Cluster
from tests.faults.invariants import EventJudgement, Judgement, judge, judge_events
from tests.faults.listening import kept_since
from tests.faults.report import Line
from tests.faults.schedule import Fault, faults
from tests.faults.told import Told

WITHIN = 20.0
"""Seconds in which a run's faults begin."""
SETTLING = 20.0
"""Seconds after the last is mended in which all must be well again."""
PATIENCE = 60.0
"""Seconds for a replica to serve, and for all to be well before a run."""
TELLING = 15.0
"""Seconds in which whoever is to be told of an event is, once all is well: a dead teller is followed within 4 s."""


async def run_once(cluster: Cluster, seed: int) -> Line:
    """Do it; whatever goes wrong is said in the run's line, and the next may follow."""
    drawn = faults(seed, len(cluster.actors), WITHIN)
    line, began = Line(seed, tuple(map(str, drawn))), time.monotonic()
    try:
        await cluster.restore(PATIENCE)
    except Exception as error:  # noqa: BLE001  said, and counted as failed
        line.complaints.append(f"it could not be set up: {error}")
        await cluster.end()
        line.seconds = time.monotonic() - began
        return line
    set_up = time.monotonic()
    try:
        async with asyncio.TaskGroup() as tasks:
            for fault in drawn:
                tasks.create_task(_suffer(cluster, fault))
        if not await cluster.settle(SETTLING):
            line.complaints.append(f"not whole after {SETTLING:.0f} s: {cluster.odd()}")
        told = await _told(cluster)
    except Exception as error:  # noqa: BLE001  likewise
        errors = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        line.complaints += [f"it broke off: {type(each).__name__}: {each}" for each in errors]
        told = Told()
    _judge(cluster, line, set_up, told)
    line.seconds = time.monotonic() - began
    return line


def _judge(cluster: Cluster, line: Line, began: float, told: Told) -> None:
    judged = judge(cluster.seen(), cluster.streams, time.monotonic())
    unowned = [span for span in judged.unowned if span.since >= began]
    twice = [span for span in judged.twice if span.since >= began]
    reused = [claim for claim in judged.reused if claim not in cluster.reused]
    cluster.reused |= set(reused)
    line.unowned = max((span.seconds for span in unowned), default=0.0)
    line.twice = max((span.seconds for span in twice), default=0.0)
    line.complaints += Judgement(unowned, twice, reused).complaints
    events: EventJudgement = judge_events(cluster.seen(), told)
    line.events, line.repeated = len(told.kept), told.repeated
    line.complaints += events.complaints


async def _told(cluster: Cluster) -> Told:
    """What was kept since it was last asked for, and what was told of it; each is to be told, and waited for."""
    cluster.last_kept, kept = await asyncio.to_thread(kept_since, cluster.database, cluster.last_kept)
    until = time.monotonic() + TELLING
    while any(cluster.ears.of(kept).untold) and time.monotonic() < until:  # noqa: ASYNC110  whoever listens fills it
        await asyncio.sleep(0.2)
    return cluster.ears.of(kept)


async def _suffer(cluster: Cluster, fault: Fault) -> None:
    """Bring a fault about when it is its turn, and mend it."""
    await asyncio.sleep(fault.at)
    actor = cluster.actors[fault.machine]
    begin, end = _deeds(actor)[fault.kind]
    await asyncio.to_thread(begin)
    await asyncio.sleep(fault.seconds)
    await asyncio.to_thread(end)
    await cluster.up(actor, PATIENCE)


def _deeds(actor: Actor) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    """How each kind of fault begins, and how it ends."""
    return {
        "kill": (actor.kill, actor.start),
        "leave": (actor.leave, actor.start),
        "stop": (actor.stop, actor.go_on),
        "cut": (actor.cut, actor.mend),
        "store": (actor.kill_store, actor.start_store),
    }
