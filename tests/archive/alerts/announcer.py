"""A service that keeps events, each of which meets a rule, and prints their ids once they are kept; to be killed.

python -m tests.archive.alerts.announcer ADDRESS FOLDER
"""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from streamer.archive.archive import Archive
from streamer.archive.database import Database
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.clock import monotonic
from tests.archive.alerts.drafts import EVERYTHING
from tests.archive.events import an_event


async def main(address: str, folder: Path) -> None:
    """Two events a turn, one of which ends; of the letters to the phone a few are said to be sent."""
    database: Database
    if address.startswith("postgresql:"):
        from streamer.archive.postgresql import Postgresql

        database = Postgresql(address)
    else:
        database = Sqlite(Path(address))
    archive = Archive(
        database,
        folder,
        RetentionRules(),
        clock=monotonic,
        on_kept=lambda kept: print(*(f"kept:{each.event.id}" for each in kept), flush=True),
    )
    archive.alerts.change(EVERYTHING, ("phone", "mqtt"))
    await archive.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(archive.writer.run())
        while True:
            for stream in ("porch", "gate"):
                archive.put(an_event(time.time(), stream=stream))
            event = an_event(time.time(), stream="gate")
            archive.put(event)
            await asyncio.sleep(0.001)
            archive.put(replace(event, ended_at=time.time()))
            for letter in await archive.outbox.due("phone", time.time(), 2):
                print(f"sent:{letter.number}:{letter.kind}:{letter.event['id']}", flush=True)  # as a receiver has it
                await archive.outbox.sent([letter.number])


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
