"""The system's Firefox, headless, driven over WebDriver BiDi, which it speaks by itself: no driver program is needed.

https://w3c.github.io/webdriver-bidi/
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.peers.process import PATIENCE_S, Process, run_process
from tests.peers.required import firefox_path, requires

_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)\s")


class FirefoxPage:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self._context = ""

    async def open(self) -> None:
        """Begin a session."""
        await self._call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        tree = await self._call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Load a page, to its end."""
        await self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """What an expression of JavaScript gives; a promise is waited for."""
        answer = await self._call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    async def until(self, expression: str) -> Any:
        """Wait until it is true; pytest's timeout ends what never comes."""
        while not (value := await self.evaluate(expression)):  # noqa: ASYNC110  the page has no event for it
            await asyncio.sleep(0.1)
        return value

    async def _call(self, method: str, **parameters: Any) -> Any:
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": parameters})
        async for message in self._socket:
            answer = json.loads(message.data)
            if answer.get("id") == self._sent:
                assert answer["type"] == "success", answer
                return answer["result"]
        raise AssertionError("Firefox closed the connection")


@asynccontextmanager
async def run_firefox(preferences: Mapping[str, Any] | None = None) -> AsyncIterator[FirefoxPage]:
    """Run a Firefox with an empty profile and these preferences; gives its one tab."""
    requires("firefox")
    with TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in (preferences or {}).items()]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        command = [
            firefox_path() or "",
            "--headless",
            "--no-remote",
            "--remote-debugging-port",
            "0",
            "--profile",
            profile,
        ]
        with run_process(command) as process:
            address = await _address(process)
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(f"{address}/session", max_msg_size=0) as socket,
            ):
                page = FirefoxPage(socket)
                await page.open()
                yield page


async def _address(process: Process) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := _LISTENING.search(process.output)):
        assert process.returncode is None, f"Firefox ended with status {process.returncode}:\n{process.output}"
        assert time.monotonic() < deadline, f"Firefox did not start in {PATIENCE_S} s:\n{process.output}"
        await asyncio.sleep(0.02)
    return found[1]
