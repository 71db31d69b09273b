"""One connection to a viewer, a program or a proxy: aiohttp's, with an end to how long it is waited for.

`web.RequestHandler` is what `web.Server` makes of a connection. Its public methods are overridden, and asyncio's.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streamer.http.connections import IDLE_TIMEOUT, REQUEST_TIMEOUT, WRITE_TIMEOUT, Connections
from streamer.http.problems import problem

log = logging.getLogger(__name__)

LINGER = 1.0
"""Seconds in which what is left of a body nobody wants is taken, so that the answer arrives before the end."""


class Connection(web.RequestHandler):
    """Waits for requests, each in its time, and says in a sentence what is none."""

    def __init__(self, server: web.Server, connections: Connections, address: str) -> None:
        """A connection that was taken, and whose TLS may be about to begin.

        Args:
            server: the application's.
            connections: it is one of, until it ends.
            address: of the peer.
        """
        # Bodies are small and taken as they are: what is compressed can be a bomb, or broken in ways nobody catches.
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # its own way to have none
            auto_decompress=False,
            lingering_time=LINGER,
        )
        self.address = address
        self.waits_since: float | None = None
        self.opening: asyncio.Task[None] | None = None
        """Until it is ready to be read from."""
        self.is_full = False
        """Whether the peer has not taken what it was sent."""
        self.on_room: Callable[[], None] | None = None
        """Told when it has, for whoever writes without waiting. Must not raise."""
        self._connections = connections
        self._waits_until, self._waits_for = math.inf, ""
        self._stuck_at = math.inf
        self._socket: asyncio.BaseTransport | None = None
        self._await_peer(REQUEST_TIMEOUT, "slow")

    # ---- how long it is waited for

    @property
    def ends_at(self) -> float:
        """Monotonic seconds at which it was waited for long enough."""
        return min(self._waits_until, self._stuck_at)

    @property
    def overdue(self) -> str:
        """Why it ends then."""
        return "stuck" if self._stuck_at < self._waits_until else self._waits_for

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """A request is here, and its answer is made."""
        self._work_on()
        try:
            yield
        finally:
            self._await_peer(IDLE_TIMEOUT, "idle")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """The rest of a request is waited for; whoever reads it knows for how long."""
        self._await_peer(math.inf, "slow")
        try:
            yield
        finally:
            self._work_on()

    def abort(self) -> None:
        """End it at once; what was to be sent is not."""
        if self.opening is not None:
            self.opening.cancel()
        if isinstance(self._socket, asyncio.Transport):  # aiohttp lets go its own when it only begins to close
            self._socket.abort()

    def is_of_a_replica(self) -> None:
        """Another replica of the cluster asks, for whoever asked it."""
        self._connections.know(self.address)

    def _await_peer(self, seconds: float, why: str) -> None:
        self.waits_since = self._connections.clock()
        self._waits_until, self._waits_for = self.waits_since + seconds, why

    def _work_on(self) -> None:
        self.waits_since, self._waits_until = None, math.inf

    # ---- what asyncio says of it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data and self._waits_for == "idle" and self.waits_since is not None:
            self._await_peer(REQUEST_TIMEOUT, "slow")
        super().data_received(data)

    def pause_writing(self) -> None:
        self._stuck_at = self._connections.clock() + WRITE_TIMEOUT
        self.is_full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_at = math.inf
        self.is_full = False
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()

    # ---- what aiohttp cannot make a request of

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request, and what failed outside of every route."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        reason = (message or "").strip().partition("\n")[0].rstrip(":")
        log.debug("%s sent what is no HTTP: %s", self.address, reason)
        response = problem(status, f"this is no HTTP request: {reason}"[:200], {"Server": "sightline"})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Leave a peer's mistakes to the peer: a broken body is none of ours."""
        if isinstance(kw.get("exc_info"), HttpProcessingError | web.RequestPayloadError | ConnectionError):
            log.debug("%s broke off", self.address)
        else:
            super().log_exception(*args, **kw)


def connection_of(request: web.Request) -> Connection | None:
    """What a request came by; None in a test without a port."""
    return request.protocol if isinstance(request.protocol, Connection) else None


def peer_of(request: web.Request) -> str:
    """The address at the other end of the connection, a proxy's where one asks for others; "" where there is none."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(name[0]) if name else ""
