"""The part of a service that keeps events and tells of them, under load: to be killed. It prints what it puts.

python -m tests.outlets.teller CONFIGURATION LEAST [REPLICA]

With LEAST events in the archive it ends once all is told, and until then it goes on making them.
"""

import asyncio
import itertools
import sys
import time
from pathlib import Path

from streamer import config
from streamer.archive import following
from streamer.archive.alerts import leases
from streamer.archive.query import Query
from streamer.keeping import Keeping
from streamer.outgoing import Outgoing, telling
from streamer.outlets import patience
from streamer.outlets.webhook import webhook
from streamer.values.clock import monotonic
from tests.archive.events import an_event

STREAMS = ("door", "gate", "porch", "yard")
PACE = 0.004
"""Seconds from one event to the next."""


async def main(path: Path, least: int, replica: str | None) -> None:
    """Keep events and tell of them; what takes a second with real receivers takes some milliseconds here."""
    patience.FIRST_PAUSE, patience.LONGEST_PAUSE = 0.005, 0.02
    if replica is None:
        webhook.TIMEOUT = 0.15
    leases.SECONDS, leases.RENEWED_WITH, following.INTERVAL = 1.0, 0.7, 0.1
    settings = config.load(path)
    keeping = Keeping(settings, path, clock=monotonic, replica=replica)
    outgoing = Outgoing(settings, keeping.outbox, clock=monotonic, wall=time.time, runs=keeping.tells)
    keeping.on_outlets(outgoing.look)
    keeping.tell(telling(settings), list(settings.webhooks))
    await keeping.open()
    archive, outbox = keeping.archive, keeping.outbox
    assert archive is not None
    assert outbox is not None
    tasks = [asyncio.ensure_future(run()) for room in (keeping, outgoing) for run in room.tasks().values()]
    await archive.recordings.opened()  # a server is waited for behind its back
    there = len(await archive.page(Query(limit=1000)))
    print("open", flush=True)
    for number in itertools.count(there):
        if number >= least:
            break
        event = an_event(time.time(), stream=STREAMS[number % len(STREAMS)])
        archive.put(event)
        print(event.id, flush=True)
        await asyncio.sleep(PACE if replica is None else 5 * PACE)
    while (await outbox.queue("phone")).waiting:  # noqa: ASYNC110  nobody says when the last is told
        await asyncio.sleep(0.05)
    print("all of it", flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await keeping.close()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), next(iter(sys.argv[3:]), None)))
