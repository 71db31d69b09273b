"""WebRTC sessions that were begun through us at another replica: ended there when who began them here may no longer."""

from collections import OrderedDict
from functools import partial

from aiohttp import web

from streamer.access.action import Action
from streamer.http.admissions import Admissions
from streamer.http.forwarding.passed import FAILED, Passing
from streamer.http.needs import need_of, shown_by

MOST = 1024
"""The newest. An older one is ended by its owner, when what it was told of the viewer is as old as a session gets."""

PASSED_SESSIONS: web.AppKey["PassedSessions"] = web.AppKey("passed_sessions")


class PassedSessions:
    """Those of one replica."""

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions
        self._begun: OrderedDict[str, Passing] = OrderedDict()
        """By where they are, as their owner calls it."""

    def __len__(self) -> int:
        return len(self._begun)

    def note(self, request: web.Request, response: web.StreamResponse, passing: Passing) -> None:
        """One may have begun, or ended."""
        if request.method == "DELETE":
            self._begun.pop(passing.target, None)
        elif request.method == "POST" and response.status == 201 and "Location" in response.headers:
            self._follow(request, response.headers["Location"].removeprefix(passing.caller.prefix), passing)

    def _follow(self, request: web.Request, target: str, passing: Passing) -> None:
        need = need_of(request.match_info.handler)
        self._begun[target] = passing
        while len(self._begun) > MOST:
            self._begun.popitem(last=False)
        self._admissions.admit(
            ("passed on", target),
            shown_by(request),
            Action.VIEW if need is None or need.action is None else need.action,
            passing.what,
            end=partial(self._end, target),
            lasts=partial(self._lasts, target, passing),
        )

    def _lasts(self, target: str, passing: Passing) -> bool:
        if self._begun.get(target) is not passing:
            return False
        if passing.neighbours.whereabouts.of(passing.what) == passing.replica:
            return True
        del self._begun[target]  # it ended with its stream
        return False

    async def _end(self, target: str) -> None:
        passing = self._begun.pop(target, None)
        if passing is None:
            return
        try:
            async with passing.neighbours.ask(passing.replica, "DELETE", target, passing.caller):
                pass
        except FAILED:
            pass  # it is away, and the session with it
