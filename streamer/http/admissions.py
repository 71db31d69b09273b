"""Whoever was let in to something that lasts, asked about again: it ends soon after the permission does.

A permission ends without the request having a part in it: a token is removed or expires, a user signs out elsewhere or
is given other streams, the configuration says something else.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from aiohttp import web

from streamer.access.action import Action
from streamer.access.credential import Credential
from streamer.access.gate import Gate
from streamer.access.principal import Grant, Kind, Principal
from streamer.values.clock import Clock
from streamer.values.ending import ended

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds from one look to the next."""


@dataclass(frozen=True, slots=True)
class Admission:
    """One of them."""

    credential: Credential
    kind: Kind
    name: str
    """Whose it is: who has the same name elsewhere is another."""
    grants: tuple[Grant, ...]
    """What he had when he came."""
    action: Action
    stream: str | None
    """None: all he may see, so that it ends when those become others."""
    since: float
    """Monotonic seconds."""
    end: Callable[[], Awaitable[None]]
    lasts: Callable[[], bool]
    """Whether it has not ended by itself."""


class Admissions:
    """Those of one service."""

    def __init__(self, gate: Gate, clock: Clock) -> None:
        self._gate, self._clock = gate, clock
        self._admitted: dict[object, Admission] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._admitted)

    def admit(
        self,
        key: object,
        shown: tuple[Credential, Principal],
        action: Action,
        stream: str | None,
        *,
        end: Callable[[], Awaitable[None]],
        lasts: Callable[[], bool] = lambda: True,
    ) -> None:
        """Note somebody.

        Args:
            key: what it is known by.
            shown: what the request showed, and who that was.
            action: what he was allowed.
            stream: to which, or to all he may see for None.
            end: ends it.
            lasts: false once it has ended by itself; what ends with a block need not say so (`admitted`).
        """
        credential, principal = shown
        self._admitted[key] = Admission(
            credential,
            principal.kind,
            principal.name,
            principal.grants,
            action,
            stream,
            self._clock(),
            end,
            lasts,
        )

    @contextlib.contextmanager
    def admitted(
        self,
        key: object,
        shown: tuple[Credential, Principal],
        action: Action,
        stream: str | None,
        *,
        end: Callable[[], Awaitable[None]],
    ) -> Iterator[None]:
        """Note somebody for as long as the block lasts."""
        self.admit(key, shown, action, stream, end=end)
        try:
            yield
        finally:
            self._admitted.pop(key, None)

    def is_of(self, key: object, principal: Principal) -> bool:
        """Whether it is his."""
        admission = self._admitted.get(key)
        return admission is not None and (admission.kind, admission.name) == (principal.kind, principal.name)

    async def watch(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(INTERVAL)

    def look(self) -> None:
        """End what is no longer allowed. Called whenever something was changed, too."""
        for key, admission in list(self._admitted.items()):
            if not admission.lasts():
                del self._admitted[key]
            elif not self._is_allowed(admission):
                del self._admitted[key]
                log.info("%s may no longer do what was begun: %s", admission.name, admission.action)
                self._end(admission)

    async def settle(self) -> None:
        """Wait until all that was ended has ended."""
        await asyncio.gather(*self._ending)

    def _is_allowed(self, admission: Admission) -> bool:
        principal = self._gate.principal(admission.credential)
        if (principal.kind == "proxy" or admission.credential.passed is not None) and self._is_stale(admission):
            return False
        if admission.stream is None and principal.grants != admission.grants:
            return False
        return principal.may(admission.action, admission.stream)

    def _is_stale(self, admission: Admission) -> bool:
        """Whether a proxy's word, or another replica's, is from so long ago that it has to say it again."""
        return self._clock() - admission.since >= self._gate.rules.session_seconds

    def _end(self, admission: Admission) -> None:
        task = asyncio.create_task(ended(f"what {admission.name} began", admission.end()))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


ADMISSIONS: web.AppKey[Admissions] = web.AppKey("admissions", Admissions)
