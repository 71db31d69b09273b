"""How often a password may be tried from an address and for an account: five times a minute, then ever less. Pure.

Nobody is locked out for good, and not from elsewhere: what a stranger does at his address counts for the account only
loosely, and not at all where its owner has signed in before.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from streamer.values.clock import Clock
from streamer.values.errors import Refused
from streamer.values.host import network_of

FREE = 5
"""Tries before the first pause."""
PAUSE, LONGEST_PAUSE = 60.0, 900.0
"""Seconds of the first pause; each is twice the one before it, up to the longest."""
FORGOTTEN = 3600.0
"""Seconds without a try after which the earlier ones count no more."""
FREE_OF_ACCOUNT = 50
"""Failures of an account, from wherever, before tries from new addresses must wait for each other."""
PAUSE_OF_ACCOUNT = 6.0
"""Seconds from one of those to the next."""
REMEMBERED = 10_000
"""Addresses, accounts and pairs of them that are remembered, each; of more, the longest untouched are forgotten."""
LONGEST_NAME = 64
"""Characters of an account's name that tell it from others here."""

K = TypeVar("K")


@dataclass
class _Tries:
    """Of one address, account or pair."""

    count: int = 0
    last: float = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until the next may be made."""
        if self.count < FREE or now - self.last >= FORGOTTEN:
            return 0.0
        pause = min(PAUSE * 2.0 ** min(self.count - FREE, 10), LONGEST_PAUSE)
        return self.last + pause - now

    def add(self, now: float) -> None:
        """One more."""
        self.count = 1 if now - self.last >= FORGOTTEN else self.count + 1
        self.last = now


class _Remembered(Generic[K]):
    """Tries by key, the longest untouched first."""

    def __init__(self) -> None:
        self._tries: OrderedDict[K, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def of(self, key: K) -> _Tries:
        """Of this key, not remembered for having been looked at."""
        return self._tries.get(key) or _Tries()

    def add(self, key: K, now: float) -> None:
        """One more of this key."""
        tries = self._tries.pop(key, None) or _Tries()
        tries.add(now)
        self._tries[key] = tries
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    def take_back(self, key: K) -> None:
        """One less; what was waited for stays waited for."""
        tries = self._tries.get(key)
        if tries is not None:
            tries.count -= 1
            if tries.count <= 0:
                del self._tries[key]

    def forget(self, key: K) -> None:
        """All of this key."""
        self._tries.pop(key, None)


class Attempts:
    """One service's."""

    def __init__(self, clock: Clock) -> None:
        """Remember nothing yet; `clock` gives monotonic seconds."""
        self._clock = clock
        self._of_address = _Remembered[str]()
        self._of_account = _Remembered[str]()
        self._of_pair = _Remembered[tuple[str, str]]()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Where whose owner has signed in."""
        self.counts = {"succeeded": 0, "failed": 0, "refused": 0}
        """Tries so far; refused: its password was not looked at."""

    def require(self, address: str, name: str) -> None:
        """Count one more try, before the password is looked at: of many at once no more than these are made.

        Args:
            address: who asks; of IPv6 its /64 counts.
            name: the account, which need not be there.

        Raises:
            Refused: 429 too many failed; when to come back is in `Retry-After`.
        """
        now, pair = self._clock(), _pair(address, name)
        wait = self._of_pair.of(pair).wait(now)
        if pair not in self._known:
            wait = max(wait, self._of_address.of(pair[0]).wait(now), self._wait_of_account(pair[1], now))
        if wait > 0:
            seconds = math.ceil(wait)
            self.counts["refused"] += 1
            raise Refused(
                429,
                f"too many sign-ins failed from this address or for this name; try again in {seconds} s",
                {"Retry-After": str(seconds)},
            )
        self._of_pair.add(pair, now)
        self._of_address.add(pair[0], now)

    def knows(self, address: str, name: str) -> bool:
        """Whether somebody has signed in from there by this name."""
        return _pair(address, name) in self._known

    def failed(self, address: str, name: str) -> None:
        """The password was wrong, or the account is not there."""
        self.counts["failed"] += 1
        self._of_account.add(_pair(address, name)[1], self._clock())

    def succeeded(self, address: str, name: str) -> None:
        """The password was right: what failed before at this address for this account is forgotten."""
        self.counts["succeeded"] += 1
        pair = _pair(address, name)
        self._of_pair.forget(pair)
        self._of_address.take_back(pair[0])
        self._known.pop(pair, None)
        self._known[pair] = None
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def withdrawn(self, address: str, name: str) -> None:
        """The password was not looked at, as when too many wait for that: the try does not count."""
        pair = _pair(address, name)
        self._of_pair.take_back(pair)
        self._of_address.take_back(pair[0])

    def _wait_of_account(self, name: str, now: float) -> float:
        tries = self._of_account.of(name)
        return tries.last + PAUSE_OF_ACCOUNT - now if tries.count >= FREE_OF_ACCOUNT else 0.0


def _pair(address: str, name: str) -> tuple[str, str]:
    return network_of(address), name[:LONGEST_NAME]
