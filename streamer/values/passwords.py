"""The passwords that are known, to be cut out of whatever a person may read.

Replacing known values is what holds when a password contains `@`, `/` or `:`; patterns do not. A password is known for
as long as something that uses it lives, and for a while after, since log lines come late.
"""

import re
import threading
import weakref
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, unquote

from streamer.values.clock import Clock, monotonic

KEEP = 3600.0
"""Seconds a password that nothing uses stays known."""
SPARE = 1000
"""Passwords that nothing uses which are kept at the most; the oldest go first."""


class Passwords:
    """All of them. For any thread."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}
        """How many use each."""
        self._spare: dict[str, float] = {}
        """Until when each is kept that nothing uses; the soonest first."""
        self._released: deque[tuple[str, ...]] = deque()
        """What lost a user: noted here alone, since the garbage collector may say so while the lock is held."""
        self._spellings: dict[str, frozenset[str]] = {}
        """How each that is known may be written."""
        self._written: tuple[str, ...] = ()
        """All of these, the longest first."""

    def __len__(self) -> int:
        return len(self._spellings)

    def note(self, passwords: Iterable[str]) -> None:
        """Know these for a while."""
        with self._lock:
            for password in passwords:
                self._spare.pop(password, None)
                self._spare[password] = self._clock() + KEEP
            self._settle()

    def hold(self, passwords: Iterable[str], user: object) -> None:
        """Know these for as long as `user` lives, and a while longer."""
        held = tuple(passwords)
        if not held:
            return
        with self._lock:
            for password in held:
                self._used[password] = self._used.get(password, 0) + 1
            self._settle()
        weakref.finalize(user, self._released.append, held).atexit = False

    def clear(self) -> None:
        """Forget all of them: for tests."""
        with self._lock:
            self._used.clear()
            self._spare.clear()
            self._released.clear()
            self._settle()

    def redact(self, text: str) -> str:
        """`text` with every known password replaced by ***."""
        for secret in self._written:
            text = text.replace(f":{secret}@", ":***@")
            if len(secret) >= 4:  # shorter ones would cut harmless words to pieces
                text = text.replace(secret, "***")
            else:
                text = re.sub(rf"={re.escape(secret)}(?!\.?[^\W_]|[%-])", "=***", text)
        return text

    def _settle(self) -> None:
        """Take note of who has gone, and forget what nothing used for long."""
        now = self._clock()
        while self._released:
            for password in self._released.popleft():
                users = self._used.pop(password, 0)
                if users > 1:
                    self._used[password] = users - 1
                elif users:
                    self._spare.pop(password, None)
                    self._spare[password] = now + KEEP
        while self._spare and (len(self._spare) > SPARE or next(iter(self._spare.values())) <= now):
            del self._spare[next(iter(self._spare))]
        known = self._used.keys() | self._spare.keys()
        if known != self._spellings.keys():
            self._spellings = {password: self._spellings.get(password) or _spelled(password) for password in known}
            self._written = tuple(sorted(set().union(*self._spellings.values()), key=len, reverse=True))


def _spelled(password: str) -> frozenset[str]:
    """A password as it was written, as it is meant, and as software may print it."""
    plain = unquote(password)
    # Half characters stand in no URL, but whoever refuses one says so without its password.
    encoded = {quote(plain, safe=safe, errors="surrogatepass") for safe in ("", "/")}
    lower = {re.sub("%..", lambda found: found.group().lower(), text) for text in encoded}
    every = {password, plain} | encoded | lower
    return frozenset(spelling for text in every for spelling in (text, repr(text)[1:-1], _within_both_quotes(text)))


def _within_both_quotes(text: str) -> str:
    """A text as Python shows it in the midst of one that holds both kinds of quotes."""
    return repr(f"\"'{text}")[4:-1]
