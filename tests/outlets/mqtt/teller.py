"""A service that keeps events under load, tells a broker, and prints the id of each that is kept; to be killed.

python -m tests.outlets.mqtt.teller PORT FOLDER [COUNT]     with 0 it only tells what waits, until nothing does
"""

import asyncio
import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path

from streamer.archive.archive import Archive
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.outlets.mqtt.broker import Broker
from streamer.outlets.mqtt.outlet import MqttOutlet, Options
from streamer.values.alert import Telling
from streamer.values.clock import monotonic
from tests.archive.events import an_event
from tests.outlets.mqtt.told import FOUR, Obeyed, Streams


async def main(port: int, folder: Path, count: int) -> None:
    """Events of four streams, each with its end."""
    archive = Archive(
        Sqlite(folder / "sightline.db"),
        folder / "pictures",
        RetentionRules(),
        clock=monotonic,
        on_kept=lambda kept: print("".join(f"kept {each.event.id}\n" for each in kept), end="", flush=True),
    )
    await archive.open()
    archive.alerts.change(Telling(all_events=("mqtt",)), ("mqtt",))
    outlet = MqttOutlet(
        "mqtt",
        Broker("127.0.0.1", port),
        Options(),
        archive.outbox,
        look=Streams(),
        orders=Obeyed(),
        clock=monotonic,
        wall=time.time,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in (archive.writer.run, outlet.run)]
        for stream in itertools.islice(itertools.cycle(FOUR), count):
            event = replace(an_event(time.time()), stream=stream)
            archive.put(event)
            archive.put(replace(event, ended_at=event.last_at))
            await asyncio.sleep(0.004)
        if count == 0:
            while (await archive.outbox.queue("mqtt")).waiting:  # noqa: ASYNC110  a database has no event of its own
                await asyncio.sleep(0.05)
            print("nothing waits", flush=True)
            for task in tasks:
                task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
