"""When each stream's results came, whoever told them: what viewers would have seen."""

import asyncio
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import aiohttp

PAUSE = 0.2
"""Seconds from a connection's end to the next try."""


class Results:
    """Listens to some replicas at once."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Listen to nobody yet."""
        self._urls = urls
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        """Monotonic seconds by stream, each result once: every replica tells of all."""
        self._known = set[tuple[str, int | None, float]]()

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for url in self._urls:
                tasks.create_task(self._follow(url))

    def gap(self, stream: str, since: float) -> float | None:
        """Seconds from then until the next result of a stream; None: there was none."""
        return next((at - since for at in self.times[stream] if at > since), None)

    def longest(self, stream: str, since: float, until: float) -> tuple[float, float]:
        """The longest while between without a result of a stream: when it began, and its seconds."""
        times = [since, *(at for at in self.times[stream] if since < at < until), until]
        return max(((before, after - before) for before, after in itertools.pairwise(times)), key=lambda each: each[1])

    def count(self, stream: str, since: float, until: float) -> int:
        """Results of a stream between."""
        return sum(since <= at < until for at in self.times[stream])

    async def _follow(self, url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=20)
        while True:
            try:
                async with aiohttp.ClientSession(timeout=timeout) as client, client.get(f"{url}/api/detections") as got:
                    async for line in got.content:
                        if line.startswith(b"data: "):
                            self._take(json.loads(line[6:]))
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(PAUSE)

    def _take(self, told: dict[str, Any]) -> None:
        result = told["stream"], told["frame_time"], told["pts"]
        if result not in self._known:
            self._known.add(result)
            self.times[told["stream"]].append(time.monotonic())
