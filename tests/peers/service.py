"""`sightline serve` as a process, and a client of its interface."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from tests.peers.process import Process, run_process

PATIENCE_S = 60.0
"""How long anything may take on a loaded machine. No test passes by it: each waits for a condition."""

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE_S, sock_read=PATIENCE_S)


@dataclass(frozen=True)
class Answer:
    """One HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def problem(self) -> str:
        """The sentence of a refusal, which must be of RFC 9457's form."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        document = self.json()
        assert document["status"] == self.status
        assert document["title"]
        detail: str = document["detail"]
        return detail


class Metrics:
    """One reading of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = [sample for family in self.families.values() for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float:
        """The sum of every sample of that name which has these labels; 0 where there is none."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str, label: str) -> set[str]:
        """Every value of a label among the samples of that name."""
        return {sample.labels[label] for sample in self._samples if sample.name == name}


class Feed:
    """The events of one connection: (monotonic arrival, event), in order, from the connection on."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, dict[str, Any]]] = []
        self.lines: list[str] = []
        """The stream as it came, for its form."""
        self.ended = False
        """Whether the service has ended it."""
        self._news = asyncio.Event()

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Read until cancelled."""
        async for line in response.content:
            self.lines.append(text := line.decode().rstrip("\n"))
            if text.startswith("data: "):
                self.arrived.append((time.monotonic(), json.loads(text.removeprefix("data: "))))
                self._news.set()
        self.ended = True

    def of(self, stream: str) -> list[tuple[float, dict[str, Any]]]:
        """What arrived of one stream so far."""
        return [(at, event) for at, event in self.arrived if event["stream"] == stream]

    async def more(self, count: int, *, stream: str | None = None) -> list[tuple[float, dict[str, Any]]]:
        """Wait for `count` events from now on, of one stream or of any."""
        known = len(self.arrived)

        def new() -> list[tuple[float, dict[str, Any]]]:
            return [(at, event) for at, event in self.arrived[known:] if stream in (None, event["stream"])]

        async with asyncio.timeout(PATIENCE_S):
            while len(new()) < count:
                self._news.clear()
                await self._news.wait()
        return new()[:count]


class Service:
    """A running service; `run_service` makes one."""

    def __init__(self, process: Process, url: str, path: Path, headers: Mapping[str, str] | None = None) -> None:
        self.process = process
        self.url = url
        self.path = path
        """Its sightline.yaml."""
        self.headers = headers or {}
        """Sent with each request."""

    def of(self, headers: Mapping[str, str]) -> "Service":
        """The same, asked by somebody who shows this."""
        return Service(self.process, self.url, self.path, headers)

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: str | bytes | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. A certificate is taken as it is: the tests make their own."""
        headers = {**self.headers, **(headers or {}), **({"Content-Type": content_type} if content_type else {})}
        url = URL(self.url + path, encoded=True)
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as client,
            client.request(method, url, data=body, headers=headers, ssl=False) as response,
        ):
            return Answer(response.status, response.headers, await response.read())

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response without an end."""
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as client,
            client.get(self.url + path, headers=self.headers) as response,
        ):
            yield response

    async def stream(self, name: str) -> dict[str, Any]:
        """One stream as /api/streams lists it."""
        [found] = [row for row in (await self.ask("/api/streams")).json() if row["name"] == name]
        return dict(found)

    async def metrics(self) -> Metrics:
        """Read /metrics."""
        return Metrics((await self.ask("/metrics")).body.decode())

    async def wait_for_state(self, name: str, *states: str) -> dict[str, Any]:
        """Wait until a stream is in one of these states; returns its description."""
        last: dict[str, Any] = {}

        async def reached() -> bool:
            nonlocal last
            answer = await self.ask(f"/api/streams/{name}")  # 404 while nobody publishes it
            last = answer.json() if answer.status == 200 else {}
            return last.get("state") in states

        await until(reached, lambda: f"{name} is not {' or '.join(states)}: {last}\n{self.process.output}")
        return last

    async def wait_for_reason(self, name: str, words: str) -> dict[str, Any]:
        """Wait until the reason of a stream's state has these words: it may have had another first, rightly so."""
        last: dict[str, Any] = {}

        async def given() -> bool:
            nonlocal last
            last = await self.stream(name)
            return words in (last["reason"] or "")

        await until(given, lambda: f"{name} does not say {words!r}: {last}\n{self.process.output}")
        return last

    async def wait_for_output(self, words: str) -> None:
        """Wait until it has logged this, which it may do a moment after it shows."""
        await asyncio.to_thread(self.process.wait_for_output, words, timeout=PATIENCE_S)

    @asynccontextmanager
    async def events(self, stream: str | None = None) -> AsyncIterator[Feed]:
        """Listen to the events of one stream, or of all in one connection."""
        path = "/api/detections" if stream is None else f"/api/streams/{stream}/events"
        feed = Feed()
        async with self.open(path) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            reading = asyncio.create_task(feed.read(response))
            try:
                yield feed
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError, aiohttp.ClientError):
                    await reading


async def until(condition: Callable[[], Awaitable[bool]], otherwise: Callable[[], str]) -> None:
    """Wait for a condition, looking ten times a second.

    Raises:
        AssertionError: it did not come true in time; says `otherwise`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        assert time.monotonic() < deadline, otherwise()
        await asyncio.sleep(0.1)


@contextmanager
def run_service(
    config: Mapping[str, Any], env: Mapping[str, str] | None = None, *, folder: Path | None = None
) -> Iterator[Service]:
    """Run `sightline serve` on a free port for as long as the block lasts.

    Args:
        config: what stands in sightline.yaml; the port is chosen here.
        env: environment variables it names.
        folder: where that file is written, to be started from again.
    """
    with TemporaryDirectory(prefix="sightline-") as temporary:
        path = (folder or Path(temporary)) / "sightline.yaml"
        write_config(path, config)
        with run_process([*serve_command(path), "--verbose"], env) as process:
            process.wait_for_output("sightline: serving ", timeout=PATIENCE_S)
            [line] = [line for line in process.output.splitlines() if line.startswith("sightline: serving ")]
            yield Service(process, line.removeprefix("sightline: serving "), path)


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write a sightline.yaml that leaves the choice of the port to the service."""
    path.write_text(yaml.safe_dump({**config, "server": {"port": 0, **config.get("server", {})}}, sort_keys=False))


def serve_command(config: Path) -> list[str | Path]:
    """The command that runs the service."""
    return [sys.executable, "-m", "streamer", "serve", "--config", config]
