"""What a cluster's other replicas answer for us, as the routes ask for it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web

from streamer.http.description import StreamDescription
from streamer.values.replica import Replica


class Elsewhere(Protocol):
    """The other replicas."""

    @property
    def me(self) -> str:
        """Our own replica's name."""

    def names(self) -> Sequence[str]:
        """Of all streams that the replicas share."""

    def owner(self, name: str) -> Replica | None:
        """Who else runs a stream, and lives; None: we do, or nobody does."""

    def replica(self, name: str) -> Replica | None:
        """Another replica that lives; None: there is none of that name."""

    async def listed(self, here: list[StreamDescription], sees: Callable[[str], bool]) -> list[StreamDescription]:
        """Every stream of the cluster that one sees, with those that run here among them."""

    async def described(self, name: str) -> StreamDescription | None:
        """One that does not run here; None: there is none of that name."""

    async def pass_to(self, request: web.Request, replica: Replica, stream: str | None = None) -> web.StreamResponse:
        """Have a request answered by another replica, for whoever asks us.

        Args:
            request: as it came.
            replica: that is asked.
            stream: that it is about, where its path does not say so.

        Raises:
            Refused: 503 it does not answer, or the request was passed on to us already; 502 what it says is no answer.
        """


ELSEWHERE: web.AppKey[Elsewhere] = web.AppKey("elsewhere", Elsewhere)
"""Not there: there is no cluster."""
