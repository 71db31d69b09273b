"""A port: its connections are taken one after the other, as far as there is room for them.

asyncio's own server takes all there are, and one that finds no descriptor says so a hundred times in a turn.
"""

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from streamer.http.connection import Connection
from streamer.http.connections import REQUEST_TIMEOUT, Connections
from streamer.http.shortage import Shortage, is_shortage
from streamer.values.ending import ended
from streamer.values.supervision import PAUSE, supervise

if TYPE_CHECKING:
    from streamer.http.served_certificate import ServedCertificate

BACKLOG = 128
"""Connections the kernel keeps for us until we take them."""
SHORT_PAUSE = 0.25
"""Seconds until the next look for a descriptor."""
SWEEP = 1.0
"""Seconds from one look for overdue connections to the next."""
SHUTDOWN_TIMEOUT = 1.0
"""Seconds a peer gets to take its leave of TLS."""
ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What a machine without IPv6 says of a name's address of that kind."""
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\n\r\n"
    b'{"title": "Service Unavailable", "status": 503, "detail": "all connections are taken'
    b' (server.max_connections, server.max_connections_per_address)"}'
)


class Listener:
    """Several sockets of one port, of several addresses of one host."""

    def __init__(
        self,
        sockets: list[socket.socket],
        server: web.Server,
        connections: Connections,
        shortage: Shortage,
        *,
        certificate: "ServedCertificate | None",
        on_restart: Callable[[str], None],
    ) -> None:
        """Take what comes, from now on.

        Args:
            sockets: that listen.
            server: makes answers.
            connections: that there may be.
            shortage: told when there is no descriptor for another.
            certificate: what HTTPS is served with, and followed for that; None: plain HTTP.
            on_restart: told which task of this ended in a way nobody foresaw.
        """
        self._sockets, self._server, self._connections, self._shortage = sockets, server, connections, shortage
        self._certificate = certificate
        self._openings: set[asyncio.Task[None]] = set()
        lives: list[tuple[str, Callable[[], Awaitable[None]]]] = [("listener", self._sweep)]
        lives += [("listener", functools.partial(self._take, each)) for each in sockets]
        if certificate is not None:
            lives.append(("certificate", certificate.watch))
        self._tasks = [
            asyncio.create_task(
                supervise(name, life, pause=PAUSE, on_restart=functools.partial(on_restart, name)), name=name
            )
            for name, life in lives
        ]

    async def close(self) -> None:
        """Take no more, and end those that would be waited for in vain."""
        for task in (*self._tasks, *self._openings):
            task.cancel()
        await ended("the port", *self._tasks, *self._openings)
        for each in self._sockets:
            each.close()
        self._connections.end_waiting()

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, peer = await loop.sock_accept(listening)
                self._let_in(taken, peer[0])
            except ConnectionError:
                pass  # it was gone before it was taken
            except OSError as error:
                if not is_shortage(error):
                    raise
                self._shortage.met(error)
                self._connections.make_room()
                await asyncio.sleep(SHORT_PAUSE)
            await asyncio.sleep(0)  # sock_accept does not wait where one is there already

    def _let_in(self, taken: socket.socket, address: str) -> None:
        if not self._connections.admit(address):
            with taken, contextlib.suppress(OSError):
                if self._certificate is None:
                    taken.send(FULL)
            return
        connection = Connection(self._server, self._connections, address)
        self._connections.add(connection)
        opening = asyncio.create_task(self._open(connection, taken), name="connection")
        connection.opening = opening
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)

    async def _open(self, connection: Connection, taken: socket.socket) -> None:
        """Hand it to asyncio; with TLS, once that is agreed on."""
        tls = None if self._certificate is None else self._certificate.context
        timeout = None if tls is None else REQUEST_TIMEOUT
        leave = None if tls is None else SHUTDOWN_TIMEOUT
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                taken,
                ssl=tls,
                ssl_handshake_timeout=timeout,
                ssl_shutdown_timeout=leave,
            )
        except OSError:  # it left, or speaks no TLS
            self._connections.remove(connection)
            taken.close()
        except asyncio.CancelledError:
            self._connections.remove(connection)
            taken.close()
            raise
        finally:
            connection.opening = None

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            self._connections.end_overdue()


async def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at every address a host's name has here.

    Raises:
        OSError: there is none, or one of them is taken.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        try:
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except OSError as error:
            failed = error if failed is None or error.errno not in ABSENT else failed
    if failed is not None and (not sockets or failed.errno not in ABSENT):
        for each in sockets:
            each.close()
        raise failed
    for each in sockets:
        each.setblocking(False)
    return sockets
