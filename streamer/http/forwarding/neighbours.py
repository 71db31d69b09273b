"""The other replicas, as we ask them: over connections that are kept, signed, and only as long as they are there."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, MultiMapping
from yarl import URL

from streamer.access.action import Action
from streamer.access.caller import CALLER, Caller, Question, signed
from streamer.access.principal import Grant, Principal
from streamer.http.callers import Callers
from streamer.http.forwarding.answer_body import read_answer
from streamer.http.forwarding.headers import handshake, passed_there
from streamer.http.forwarding.lifeline import lifeline
from streamer.values.clock import Clock, monotonic
from streamer.values.replica import Replica, Whereabouts

CONNECTING = 5.0
"""Seconds in which a replica must be reached: its name, TCP and TLS."""
STILL = 5.0
"""Seconds that a picture may take."""
LARGEST_STILL = 16 << 20
"""Bytes of one."""
KEPT = 30.0
"""Seconds that a connection waits for its next request."""
LOOK = 0.25
"""Seconds from one look at where streams run to the next."""

NEIGHBOURS: web.AppKey["Neighbours"] = web.AppKey("neighbours")


class Neighbours:
    """The others, of one replica."""

    def __init__(
        self,
        whereabouts: Whereabouts,
        key: bytes,
        *,
        trust: ssl.SSLContext | bool = True,
        wall: Clock = time.time,
        clock: Clock = monotonic,
        connecting: float = CONNECTING,
    ) -> None:
        """Ask nobody yet.

        Args:
            whereabouts: who they are, and what each runs.
            key: the cluster's.
            trust: whose certificates are believed, of those that are asked over HTTPS; True: the system's.
            wall: UTC, seconds since 1970.
            clock: monotonic seconds, by which what they said is old.
            connecting: seconds in which one must be reached.
        """
        self.whereabouts, self.clock = whereabouts, clock
        self.callers = Callers(whereabouts.me, key, wall)
        self._trust, self._connecting = trust, connecting
        self._session: aiohttp.ClientSession | None = None
        self._held: dict[asyncio.Timeout, Callable[[], bool]] = {}

    @property
    def ourselves(self) -> Caller:
        """What we are to the others where nobody asks us: one who may see everything."""
        return Caller(Principal("token", f"replica {self.callers.me}", (Grant(frozenset({Action.VIEW})),)), "")

    def ask(
        self,
        replica: Replica,
        method: str,
        target: str,
        caller: Caller,
        *,
        headers: MultiMapping[str] | None = None,
        body: aiohttp.StreamReader | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask one something; what it answers is read by whoever calls, to its end or not.

        Args:
            replica: that is asked.
            method: of HTTP.
            target: path and query.
            caller: for whom.
            headers: of the request that is passed on; those that go on are picked from them.
            body: of that request; it is read as it comes.

        Raises:
            aiohttp.ClientError, TimeoutError: it cannot be reached, or its answer is none.
        """
        return self._client().request(
            method,
            URL(replica.url + target, encoded=True),
            headers=self._headers(replica, method, target, caller, passed_there(headers or CIMultiDict())),
            data=body,
            allow_redirects=False,
            ssl=self._trust,
        )

    def watch_video(
        self,
        replica: Replica,
        target: str,
        caller: Caller,
        headers: MultiMapping[str],
        *,
        largest: int,
        silent: float,
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse[bool]]:
        """The same by WebSocket, ended by a message of more bytes than `largest`, and by silence.

        Args:
            replica: that is asked.
            target: path and query.
            caller: for whom.
            headers: of the request that is passed on.
            largest: bytes of a message.
            silent: seconds without a byte, after which it is pinged, and has half as many to answer.

        Raises:
            aiohttp.ClientError, TimeoutError: as `ask`; WSServerHandshakeError, it is refused.
        """
        return self._client().ws_connect(
            URL(replica.url + target, encoded=True),
            headers=self._headers(replica, "GET", target, caller, handshake(headers)),
            autoping=True,
            autoclose=True,
            compress=0,
            heartbeat=silent,
            max_msg_size=largest,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ssl=self._trust,
        )

    def get(self, replica: Replica, target: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask one for something that we need ourselves.

        Raises:
            aiohttp.ClientError, TimeoutError: it cannot be reached, or its answer is none.
        """
        return self.ask(replica, "GET", target, self.ourselves)

    async def still(self, stream: str) -> bytes | None:
        """The newest annotated picture of a stream that runs elsewhere, as a JPEG; None: none comes now."""
        replica = self.whereabouts.of(stream)
        if replica is None:
            return None
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
            async with asyncio.timeout(STILL), self.get(replica, f"/api/streams/{stream}/frame.jpg") as answer:
                if answer.status == 200:
                    return await read_answer(answer, LARGEST_STILL)
        return None

    @contextlib.asynccontextmanager
    async def holding(self, holds: Callable[[], bool]) -> AsyncIterator[None]:
        """Something that goes on for as long as that holds: TimeoutError is raised in it soon after it does not."""
        async with asyncio.timeout(None) as life:
            self._held[life] = holds
            try:
                yield
            finally:
                del self._held[life]

    async def run(self) -> None:
        """Look from time to time where streams run, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK)

    def look(self) -> None:
        """End what holds no longer: the stream runs elsewhere now, or its replica is gone."""
        for life, holds in list(self._held.items()):
            if not holds() and not life.expired():
                life.reschedule(0)

    async def close(self) -> None:
        """Ask nobody any more."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # As many as there are requests, of which there are as many as there are connections to us.
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT, socket_factory=lifeline)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._connecting),
            )
        return self._session

    def _headers(
        self, replica: Replica, method: str, target: str, caller: Caller, sent: CIMultiDict[str]
    ) -> Mapping[str, str]:
        question = Question(replica.name, method, target)
        sent[CALLER] = signed(caller, question, self.callers.key, self.callers.wall())
        return sent
