"""A real Prometheus, scraping what a test tells it to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.peers.process import PATIENCE_S, free_port, run_process
from tests.peers.required import requires


class Prometheus:
    """A running Prometheus and its HTTP API; `run_prometheus` makes one."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.url = url
        self._client = client

    async def get(self, path: str, **parameters: str) -> Any:
        """Ask the HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/) and return its `data`."""
        async with self._client.get(f"{self.url}/api/v1/{path}", params=parameters) as response:
            answer = await response.json()
            assert answer["status"] == "success", f"Prometheus refused {path} {parameters}: {answer.get('error')}"
            return answer["data"]

    async def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Evaluate a PromQL expression now; gives (labels, value) of each series found."""
        found = (await self.get("query", query=expression))["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    async def wait_for(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Evaluate `expression` until it finds at least one series: scrapes come when they come."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := await self.query(expression)):
            assert time.monotonic() < deadline, f"{expression} found nothing in {PATIENCE_S} s"
            await asyncio.sleep(0.1)
        return found


@asynccontextmanager
async def run_prometheus(config: Path) -> AsyncIterator[Prometheus]:
    """Run Prometheus with a configuration file on a free port, its storage thrown away afterwards."""
    requires("prometheus")
    port = free_port()
    with TemporaryDirectory(prefix="prometheus-") as storage:
        arguments = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={storage}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with run_process(arguments) as process:
            await asyncio.to_thread(process.wait_for_output, "Server is ready to receive web requests")
            async with aiohttp.ClientSession() as client:
                yield Prometheus(f"http://127.0.0.1:{port}", client)
