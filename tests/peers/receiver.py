"""Somebody who is told over HTTP: keeps what comes, and answers as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.peers.process import free_port


@dataclass(frozen=True)
class Told:
    """One request."""

    path: str
    """With its query."""
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"

    def document(self) -> Any:
        """Of a body that is JSON."""
        return json.loads(self.body)


class HangUp(Exception):
    """Instead of an answer."""


Answer = Callable[[Told], Awaitable[web.StreamResponse]]


class Receiver:
    """One server."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port, self.host = port, host
        self.told: list[Told] = []
        self.answer: Answer = _taken

    def url(self, path: str = "/hook") -> str:
        """Of it."""
        return f"http://{self.host}:{self.port}{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep it, and answer."""
        told = Told(request.raw_path, dict(request.headers), await request.read(), request.method)
        self.told.append(told)
        try:
            return await self.answer(told)
        except HangUp:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError from None


async def _taken(_: Told) -> web.StreamResponse:
    return web.Response(status=204)


def answering(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that is always this."""

    async def answer(_: Told) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


@asynccontextmanager
async def run_receiver(port: int | None = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Listen for as long as the block lasts."""
    receiver = Receiver(free_port() if port is None else port, host)
    application = web.Application(client_max_size=64 << 20)
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, host, receiver.port).start()
    try:
        yield receiver
    finally:
        await asyncio.shield(runner.cleanup())
