"""What stands between a camera and who watches it: counts connections, speaks TLS, and lets a camera vanish."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.peers.listener import run_listener

REPORT = b"$\x01\x00\x1c\x80\xc8\x00\x06" + bytes(24)
"""An RTCP sender report (RFC 3550 section 6.4.1) on channel 1 (RFC 7826 section 14)."""

SETTLE = 10
"""Turns of the event loop in which an end that came before a connection is taken note of before it, too."""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Front:
    """A TCP port that passes everything on to another; `run_front` makes one."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self.port = 0
        self.accepted = 0
        """Connections since the beginning."""
        self.open = 0
        """Connections now."""
        self.most = 0
        """Connections at any one time."""
        self.blocked = False
        """Accept connections and pass nothing on: a camera that hangs."""
        self.rewrite: Callable[[bytes], bytes] = lambda data: data
        """What becomes of what is passed on."""
        self._ends: list[asyncio.StreamWriter] = []
        self._dripping: set[asyncio.StreamWriter] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until either side ends it."""
        for _ in range(SETTLE):
            await asyncio.sleep(0)
        self.accepted += 1
        self.open += 1
        self.most = max(self.most, self.open)
        self._ends.append(writer)
        try:
            if self.blocked:
                while await reader.read(1 << 16):
                    pass
                return
            with suppress(OSError):
                camera = await asyncio.open_connection("127.0.0.1", self._behind)
                await self._join((reader, writer), camera)
        finally:
            self.open -= 1

    def drip(self) -> None:
        """On the connections there are now, send RTSP's reports and nothing else: a camera whose encoder hangs."""
        self._dripping = set(self._ends)

    async def closed(self) -> None:
        """Let go of every socket, and wait until none is left."""
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)

    async def _join(self, client: Ends, camera: Ends) -> None:
        """Pass on both ways."""
        self._ends.append(camera[1])
        ways = [
            asyncio.create_task(self._pass(client[0], camera[1])),
            asyncio.create_task(self._pass(camera[0], client[1])),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            camera[1].close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.blocked:
                    continue
                writer.write(REPORT if writer in self._dripping else self.rewrite(data))
                await writer.drain()


@asynccontextmanager
async def run_front(port: int, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1") -> AsyncIterator[Front]:
    """Listen on a free port of this machine for as long as the block lasts; `port` is where the camera is."""
    front = Front(port)
    try:
        async with run_listener(front.connected, host=host, tls=tls) as front.port:
            yield front
    finally:
        await front.closed()
