"""One request that is passed on, and what is said where nothing comes of it."""

from collections.abc import Container
from dataclasses import dataclass

import aiohttp
from aiohttp import ClientConnectorError, ClientConnectorSSLError, ServerDisconnectedError, ServerTimeoutError

from streamer.access.caller import CALLER, Caller
from streamer.http.forwarding.neighbours import Neighbours
from streamer.values.errors import Overloaded, Refused, SightlineError
from streamer.values.replica import Replica

AGAIN = 1
"""Seconds after which a stream that moves may be asked for again."""
PATIENCE = 60.0
"""Seconds in which an answer must begin: longer than a body may take to come, and a clip to be cut."""

FAILED = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What asking a replica meets where it is away, or answers what is no HTTP."""


@dataclass(frozen=True, slots=True)
class Passing:
    """To whom it goes, and for whom."""

    neighbours: Neighbours
    replica: Replica
    target: str
    """Path and query."""
    caller: Caller
    what: str
    """That is asked for: the name of a stream."""

    def refusal(self, error: Exception) -> SightlineError:
        """What is said of a replica that did not answer."""
        if isinstance(error, ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
            return Refused(502, f"{self._who} shows no valid certificate")
        away = (ClientConnectorError, ServerDisconnectedError, ServerTimeoutError, aiohttp.ClientOSError, TimeoutError)
        if isinstance(error, away):
            return self.away()
        return Refused(502, f"{self._who} answers what is no HTTP")

    def away(self) -> Overloaded:
        """It does not answer, or runs the stream no longer."""
        return Overloaded(f"{self._who} does not answer now", AGAIN)

    @property
    def _who(self) -> str:
        return f"the replica {self.replica.name}, which runs {self.what!r},"

    def require_believed(self, headers: Container[str]) -> None:
        """See by an answer's headers that it refuses who asks, and not us.

        Raises:
            Refused: 502, it refuses us.
        """
        if CALLER in headers:
            raise Refused(
                502,
                f"the replica {self.replica.name} does not believe {self.neighbours.callers.me}: "
                "`cluster.key` or `cluster.replica` differ, or their clocks",
            )
