"""The other replicas, joined to an application: what the routes ask of them, and what runs for as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from aiohttp import web

from streamer.http.admissions import ADMISSIONS
from streamer.http.callers import CALLERS
from streamer.http.description import StreamDescription
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.forwarding.listing import Listing
from streamer.http.forwarding.neighbours import NEIGHBOURS, Neighbours
from streamer.http.forwarding.passed_sessions import PASSED_SESSIONS, PassedSessions
from streamer.http.forwarding.passing import pass_on, pass_to
from streamer.http.keys import METRICS
from streamer.values.ending import ended
from streamer.values.replica import Replica
from streamer.values.supervision import supervise


class Others:
    """As `elsewhere.Elsewhere`."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self.listing = Listing(neighbours, neighbours.clock)

    @property
    def me(self) -> str:
        """Our own replica's name."""
        return self.neighbours.whereabouts.me

    def names(self) -> Sequence[str]:
        """Of all streams that the replicas share."""
        return self.neighbours.whereabouts.streams()

    def owner(self, name: str) -> Replica | None:
        """Who else runs a stream, and lives."""
        return self.neighbours.whereabouts.of(name)

    def replica(self, name: str) -> Replica | None:
        """Another replica that lives; None: there is none of that name."""
        return next((each for each in self.neighbours.whereabouts.others() if each.name == name), None)

    async def listed(self, here: list[StreamDescription], sees: Callable[[str], bool]) -> list[StreamDescription]:
        """Every stream of the cluster that one sees."""
        return await self.listing.listed(here, sees)

    async def described(self, name: str) -> StreamDescription | None:
        """One that does not run here; None: there is none of that name."""
        return next(iter(await self.listing.listed((), lambda each: each == name)), None)

    async def pass_to(self, request: web.Request, replica: Replica, stream: str | None = None) -> web.StreamResponse:
        """Have a request answered by another replica."""
        return await pass_to(request, replica, stream)


def set_up(app: web.Application, neighbours: Neighbours) -> None:
    """Have all streams answered for. Whoever asks was let in by then: this stands behind the gate."""
    others = Others(neighbours)
    app[NEIGHBOURS], app[CALLERS], app[ELSEWHERE] = neighbours, neighbours.callers, others
    sessions = app[PASSED_SESSIONS] = PassedSessions(app[ADMISSIONS])
    app.middlewares.append(pass_on)

    async def tended(app: web.Application) -> AsyncIterator[None]:
        running = [
            asyncio.create_task(supervise(name, run, on_restart=partial(app[METRICS].restarted, name)), name=name)
            for name, run in (("neighbours", neighbours.run), ("passed-sessions", sessions.run))
        ]
        yield
        for task in running:
            task.cancel()
        await ended("what was asked of other replicas", *running, others.listing.close(), sessions.close())
        await neighbours.close()

    app.cleanup_ctx.append(tended)
