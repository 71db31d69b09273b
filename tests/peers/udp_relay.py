"""A way for one viewer's datagrams that can be blocked, as a firewall does: WebRTC's, which knows nothing of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from playwright.async_api import Page, Route

_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host[^\r\n]*", re.IGNORECASE)


class UdpRelay:
    """Between one browser and one server; what the two hear of each other comes from here."""

    def __init__(self) -> None:
        self.is_blocked = False
        self.passed = 0
        """Datagrams, both ways."""
        self.dropped = 0
        self._sockets: list[asyncio.DatagramTransport] = []

    async def stand_before(self, server: tuple[str, int]) -> int:
        """Pass on what comes to a port of the server's own address, which is given."""
        loop = asyncio.get_running_loop()
        inner, outer = _End(self), _End(self)
        near, _ = await loop.create_datagram_endpoint(lambda: inner, (server[0], 0))
        far, _ = await loop.create_datagram_endpoint(lambda: outer, (server[0], 0))
        self._sockets += [near, far]
        inner.other, outer.other = outer, inner
        outer.to = server
        port: int = near.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        """Pass on nothing any more."""
        for each in self._sockets:
            each.close()


class _End(asyncio.DatagramProtocol):
    """One of its two sockets."""

    def __init__(self, relay: UdpRelay) -> None:
        self._relay = relay
        self._way: asyncio.DatagramTransport | None = None
        self.other: _End | None = None
        self.to: tuple[str, int] | None = None
        """Who is there: whoever came last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._way = cast("asyncio.DatagramTransport", transport)  # which it is, though no subclass in Python 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.to = addr
        if self._relay.is_blocked:
            self._relay.dropped += 1
        elif self.other is not None:
            self._relay.passed += 1
            self.other.send(data)

    def send(self, data: bytes) -> None:
        """To who is there."""
        if self._way is not None and self.to is not None:
            self._way.sendto(data, self.to)


@asynccontextmanager
async def relayed(page: Page) -> AsyncIterator[UdpRelay]:
    """Have all WebRTC that a page watches by come through a relay: the only address it is told is that one's."""
    relay = UdpRelay()

    async def answer(route: Route) -> None:
        if route.request.method == "PATCH":  # the server need not know where the page is: it comes by the relay
            await route.fulfill(status=204)
        elif route.request.method != "POST" or route.request.url.endswith("/painted"):
            await route.continue_()
        else:
            response = await route.fetch()
            told = await response.text()
            found = _CANDIDATE.search(told)
            if response.status == 201 and found is not None:
                port = await relay.stand_before((found[1], int(found[2])))
                one = f"a=candidate:1 1 udp 2130706431 {found[1]} {port} typ host\r\n"
                told = re.sub(r"a=candidate:[^\r\n]*\r\n", "", told).replace("a=end-of-candidates\r\n", "")
                told = re.sub(r"(a=ice-ufrag:)", lambda it: one + it[1], told)
            await route.fulfill(response=response, body=told)

    await page.route("**/whep/**", answer)
    try:
        yield relay
    finally:
        await page.unroute_all(behavior="ignoreErrors")
        relay.close()
