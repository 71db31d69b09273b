"""Three machines, their programs, the cameras, and what all of them share."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.actor import Actor
from tests.faults.moment import moment_of
from tests.faults.network import CAMERAS, machines
from tests.faults.observed import Gained, Lost, Observed
from tests.faults.told import Ears
from tests.peers.clip import make_clip
from tests.peers.postgresql import make_postgresql
from tests.peers.process import free_port, run_process
from tests.peers.rtsp_server import run_rtsp_server

HOST = f"{CAMERAS}.254"
"""Where cameras, the model server, the database and the receiver are: what no fault reaches."""
RATE, KEY_FRAMES = 5, 2.0
"""Pictures a second of each camera, and seconds from one key frame to the next."""


class NotWhole(Exception):
    """It did not become what it is to be in time."""


class Cluster:
    """Replicas, and the streams that they share."""

    def __init__(self, actors: Sequence[Actor], streams: Sequence[str], database: str, receiver: int) -> None:
        self.actors, self.streams, self.database, self.receiver = actors, streams, database, receiver
        self._began = time.monotonic()
        self.ears = Ears()
        """What was told of events, while somebody listens."""
        self.reused = set[tuple[str, int]]()
        """Claims that were acted upon twice, as was said already."""
        self.last_kept = 0
        """The change with which the newest event came that was judged."""

    @property
    def age(self) -> float:
        """Seconds since its programs were started."""
        return time.monotonic() - self._began

    @property
    def urls(self) -> list[str]:
        """Of all replicas."""
        return [actor.url for actor in self.actors]

    def seen(self) -> list[Observed]:
        """All so far."""
        return [each for actor in self.actors for each in tuple(actor.seen)]

    def owners(self) -> dict[str, list[str]]:
        """Who runs what, as they say."""
        moment = moment_of(self.seen())
        return {stream: moment.owners(stream) for stream in self.streams}

    def moves(self, stream: str, since: float, until: float) -> list[Gained | Lost]:
        """Who gained and lost a stream between."""
        moved = (each for each in self.seen() if isinstance(each, Gained | Lost) and each.stream == stream)
        return sorted((each for each in moved if since <= each.at < until), key=lambda each: each.at)

    def odd(self) -> dict[str, list[str]]:
        """The first streams that are not run by one."""
        return dict([each for each in self.owners().items() if len(each[1]) != 1][:5])

    def is_whole(self) -> bool:
        """Whether each stream is run by one of them."""
        return all(len(names) == 1 for names in self.owners().values())

    async def settle(self, within: float) -> bool:
        """Wait until it is; returns whether it came so far."""
        until = time.monotonic() + within
        while not self.is_whole() and time.monotonic() < until:  # noqa: ASYNC110  threads read what is looked at
            await asyncio.sleep(0.2)
        return self.is_whole()

    async def restore(self, within: float) -> None:
        """Have all of it run, whatever became of it.

        Raises:
            NotWhole: it does not, with what is missing.
        """
        for actor in self.actors:
            await asyncio.to_thread(actor.restore)
        for actor in self.actors:
            await self.up(actor, within)
        if not await self.settle(within):
            raise NotWhole(f"not whole after {within:.0f} s: {self.odd()}")

    async def end(self) -> None:
        """Kill all of it: what it has become is of no use, and `restore` begins anew, with what was kept."""
        for actor in self.actors:
            await asyncio.to_thread(actor.kill)
            await asyncio.to_thread(actor.kill_store)

    async def up(self, actor: Actor, within: float) -> None:
        """Wait until a replica serves.

        Raises:
            NotWhole: it does not so far, with what it said last.
        """
        until = time.monotonic() + within
        while not actor.is_up:
            if time.monotonic() > until:
                said = " / ".join(line for _, line in actor.lines[-3:])
                raise NotWhole(f"{actor.name} does not serve after {within:.0f} s; it said last: {said}")
            await asyncio.sleep(0.2)


@contextmanager
def cluster(count: int, streams: int, folder: Path, sample_fps: float) -> Iterator[Cluster]:
    """Have one for as long as the block lasts.

    Args:
        count: of machines.
        streams: how many.
        folder: for what all of it keeps and prints.
        sample_fps: of each stream.
    """
    with ExitStack() as stack:
        made = stack.enter_context(machines(count))
        clip = make_clip(folder / "road.mp4", width=160, height=120, seconds=20, fps=RATE, gop=int(RATE * KEY_FRAMES))
        camera = stack.enter_context(run_rtsp_server({f"/{number}": clip for number in range(streams)}, host=HOST))
        urls = [f"rtsp://{HOST}:{camera.port}/{number}" for number in range(streams)]
        watching = [sys.executable, "-m", "tests.faults.audience", str(KEY_FRAMES), *urls]
        stack.enter_context(run_process(watching, ready="watching"))
        model, receiver = free_port(), free_port()
        command = [sys.executable, "-m", "tests.faults.scene", str(model), HOST]
        stack.enter_context(run_process(command, ready="serving"))
        server = stack.enter_context(make_postgresql(HOST))
        stack.enter_context(server.running())
        database, names = server.make_database(), [f"line-{number}" for number in range(streams)]
        config: dict[str, Any] = {
            "access": {"anonymous": ["view", "metrics"]},
            "serving": {"address": f"{HOST}:{model}", "model": "insulators"},
            "archive": {"database": database},
            "webhooks": {"ours": {"url": f"http://{HOST}:{receiver}/"}},
            "alerts": {"all": {"cooldown": 0.0, "tell_end": True, "outlets": ["ours"]}},
            "streams": {name: {"url": url, "sample_fps": sample_fps} for name, url in zip(names, urls, strict=True)},
        }
        actors = [Actor(machine, made, folder, config) for machine in made]
        for actor in actors:
            stack.callback(actor.close)
            actor.start_store()
        for actor in actors:
            actor.start()
        yield Cluster(actors, names, database, receiver)
