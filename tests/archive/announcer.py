"""A service that keeps events under load and prints the id of each that is kept; to be killed.

python -m tests.archive.announcer ADDRESS FOLDER
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
from tests.archive.events import a_picture, an_event


async def main(address: str, folder: Path) -> None:
    """Two events a turn, each with a picture, and the end of each."""
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
        on_kept=lambda kept: print(*(each.event.id for each in kept), flush=True),
    )
    await archive.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(archive.writer.run())
        while True:
            for event in (an_event(time.time()), an_event(time.time())):
                archive.put(event, a_picture(b"image" * 1000))
                archive.put(replace(event, ended_at=time.time()))
            await asyncio.sleep(0.001)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
