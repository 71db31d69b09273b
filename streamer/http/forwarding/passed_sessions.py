"""WebRTC sessions that were begun through us at another replica: ended there when who began them here may no longer.

Each is followed for as long as its owner has it: a client that just goes is seen by the owner alone, who is asked.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from aiohttp import web

from streamer.access.action import Action
from streamer.http.admissions import Admissions
from streamer.http.forwarding.passed import FAILED, Passing
from streamer.http.needs import need_of, shown_by
from streamer.values.ending import ended
from streamer.values.errors import Overloaded

MOST = 10_000
"""That live: as many as one owner may have places for. Beyond them none is begun: what is not followed is not ended."""
LOOK = 30.0
"""Seconds from one look at which of them live to the next."""
PATIENCE = 5.0
"""Seconds in which an owner must have answered."""
AGAIN = 1.0
"""Seconds from one try to end one to the next."""

PASSED_SESSIONS: web.AppKey["PassedSessions"] = web.AppKey("passed_sessions")

Key = tuple[str, str]
"""A stream, and the session's name there."""


@dataclass(frozen=True, slots=True)
class Begun:
    """One of them."""

    passing: Passing
    """By which it was begun."""
    target: str
    """Where it is, as its owner calls it."""

    @property
    def is_there(self) -> bool:
        """Whether its stream is still where it was; it ends with it."""
        return self.passing.neighbours.whereabouts.of(self.passing.what) == self.passing.replica

    async def status(self, method: str) -> int:
        """What its owner answers to this.

        Raises:
            One of `FAILED`: it does not.
        """
        passing = self.passing
        asking = passing.neighbours.ask(passing.replica, method, self.target, passing.caller)
        async with asyncio.timeout(PATIENCE), asking as answer:
            return answer.status


class PassedSessions:
    """Those of one replica."""

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions
        self._begun: dict[Key, Begun] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._begun)

    async def run(self) -> None:
        """Forget from time to time those that their owners have no longer, until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Ask of each whether it lives, one after the other; of who does not answer all are taken to."""
        silent = set[str]()
        for key, begun in list(self._begun.items()):
            if begun.passing.replica.name in silent:
                continue
            try:
                is_over = not begun.is_there or await begun.status("GET") == 404
            except FAILED:
                silent.add(begun.passing.replica.name)
                continue
            if is_over and self._begun.get(key) is begun:
                del self._begun[key]

    async def close(self) -> None:
        """End none any more."""
        for task in self._ending:
            task.cancel()
        await ended("a session at another replica", *self._ending)

    def require_room(self, request: web.Request) -> None:
        """Refuse to begin what could not be followed.

        Raises:
            Overloaded: as many as may be are.
        """
        if request.method == "POST" and len(self._begun) >= MOST:
            raise Overloaded("as many sessions as may be were begun through this replica at others", int(LOOK))

    def note(self, request: web.Request, response: web.StreamResponse, passing: Passing) -> None:
        """One may have begun, or ended. Where it is not who began it that asks, 404 says nothing of it."""
        if request.method == "POST":
            if response.status == 201 and "Location" in response.headers:
                self._follow(request, response.headers["Location"].removeprefix(passing.caller.prefix), passing)
            return
        key = (passing.what, request.match_info.get("session", ""))
        begun = self._begun.get(key)
        if begun is None:
            return
        is_ended = request.method == "DELETE" and response.status == 200
        if is_ended or (response.status == 404 and _are_one(begun.passing, passing)):
            del self._begun[key]

    def _follow(self, request: web.Request, target: str, passing: Passing) -> None:
        need, key = need_of(request.match_info.handler), (passing.what, unquote(target.rpartition("/")[2]))
        begun = self._begun[key] = Begun(passing, target)
        self._admissions.admit(
            ("passed on", *key),
            shown_by(request),
            Action.VIEW if need is None or need.action is None else need.action,
            passing.what,
            end=partial(self._end, key, begun),
            lasts=partial(self._lasts, key, begun),
        )

    def _lasts(self, key: Key, begun: Begun) -> bool:
        if self._begun.get(key) is not begun:
            return False
        if begun.is_there:
            return True
        del self._begun[key]  # it ended with its stream
        return False

    async def _end(self, key: Key, begun: Begun) -> None:
        """Have it ended, however often that has to be asked for, and keep nobody waiting for it."""
        if self._begun.get(key) is begun:
            task = asyncio.create_task(self._ended(key, begun), name="passed-session-ending")
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _ended(self, key: Key, begun: Begun) -> None:
        while begun.is_there and self._begun.get(key) is begun:
            with contextlib.suppress(*FAILED):
                if await begun.status("DELETE") in (200, 404):
                    break
            await asyncio.sleep(AGAIN)
        if self._begun.get(key) is begun:
            del self._begun[key]


def _are_one(one: Passing, other: Passing) -> bool:
    """Whether the same asks by both."""
    return (one.caller.principal.kind, one.caller.principal.name) == (
        other.caller.principal.kind,
        other.caller.principal.name,
    )
