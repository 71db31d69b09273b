"""Chromium, headless, by its DevTools protocol: as little of it as it takes to look at a page."""

import asyncio
import itertools
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from streamer.values.errors import SightlineError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root, which its sandbox refuses
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have 64 MB of it
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,800",
    "--remote-debugging-port=0",
)
PATIENCE = 30.0
"""Seconds it gets to start, and to answer."""
CLOCK_READINGS = 40


def chromium() -> str | None:
    """Where it is; None where it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and await its answer; what else it says meanwhile is not looked at.

        Raises:
            SightlineError: it refuses, or is gone.
        """
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE):
            while True:
                said = await self._socket.receive()
                if said.type is not aiohttp.WSMsgType.TEXT:
                    raise SightlineError("Chromium ended")
                answer: dict[str, Any] = said.json()
                if answer.get("id") == number:
                    break
        if "error" in answer:
            raise SightlineError(f"Chromium does not {method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise.

        Raises:
            SightlineError: it threw.
        """
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SightlineError(f"the page says: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def clock(self) -> tuple[float, float]:
        """What to add to the page's performance.now() / 1000 for monotonic seconds, and how wrong that may be.

        Both clocks are CLOCK_MONOTONIC, with different origins; of many readings the quickest is taken.
        """
        readings = []
        for _ in range(CLOCK_READINGS):
            before = time.monotonic()
            there = await self.evaluate("performance.now()") / 1000
            after = time.monotonic()
            readings.append((after - before, (before + after) / 2 - there))
        quickest, offset = min(readings)
        return offset, quickest / 2


@asynccontextmanager
async def tab(program: str) -> AsyncIterator[Tab]:
    """Run it with an empty profile, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(process, Path(profile))
            async with aiohttp.ClientSession() as client:
                async with client.get(f"http://127.0.0.1:{port}/json/list") as response:
                    targets = await response.json()
                address = next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page")
                async with client.ws_connect(address, max_msg_size=64 << 20) as socket:
                    yield Tab(socket)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _port(process: asyncio.subprocess.Process, profile: Path) -> int:
    """It writes the port it chose into its profile when it listens."""
    file, deadline = profile / "DevToolsActivePort", time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text().strip()):
        if process.returncode is not None or time.monotonic() > deadline:
            raise SightlineError("Chromium did not start")
        await asyncio.sleep(0.05)
    return int(file.read_text().splitlines()[0])
