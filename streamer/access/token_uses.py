"""When each token was last used, kept to the minute: who removes one wants to know whether anything still needs it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from streamer.access.accounts import Accounts
from streamer.access.store import Store
from streamer.values.clock import Clock
from streamer.values.errors import Refused

INTERVAL = 60.0
"""Seconds from one time it is kept to the next, and how exactly it is."""


class TokenUses:
    """Those of one service."""

    def __init__(self, store: Store, wall: Clock) -> None:
        """Note none yet; `wall` gives seconds since 1970."""
        self._store, self._wall = store, wall
        self._used: dict[str, float] = {}
        """By digest; of tokens that there are, so that there are no more of these."""

    def note(self, digest: str) -> None:
        """Somebody shows this token. Never waits."""
        if digest in self._store.accounts.tokens:
            now = self._wall()
            self._used[digest] = now - now % INTERVAL

    async def run(self) -> None:
        """Keep what was noted, from time to time, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.keep()

    async def keep(self) -> None:
        """Keep what was noted. What cannot be kept is noted again at the next use."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._store.change(lambda accounts: _with_uses(accounts, used))
        except Refused:
            return  # the store has logged why


def _with_uses(accounts: Accounts, used: Mapping[str, float]) -> Accounts:
    for digest, at in used.items():
        token = accounts.tokens.get(digest)
        if token is not None:
            accounts = accounts.with_token(replace(token, used_at=at))
    return accounts
