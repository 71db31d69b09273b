"""How many users, tokens and sessions there may be, and what ends by itself. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from streamer.access.accounts import Accounts, Session
from streamer.values.errors import Refused

MAX_USERS = 10_000
MAX_TOKENS = 1_000
MAX_SESSIONS = 10_000
"""Of all users together. The oldest make room."""
MAX_SESSIONS_EACH = 10
"""Of one user. His oldest make room."""


def bounded(accounts: Accounts, now: float) -> Accounts:
    """The same without what has ended by `now` (seconds since 1970), and without what is too many.

    Raises:
        Refused: 409 there are too many users or tokens, which somebody has to choose from.
    """
    if len(accounts.users) > MAX_USERS:
        raise Refused(409, f"there are {MAX_USERS} users, and cannot be more")
    tokens = {
        each.digest: each for each in accounts.tokens.values() if each.expires_at is None or each.expires_at > now
    }
    if len(tokens) > MAX_TOKENS:
        raise Refused(409, f"there are {MAX_TOKENS} tokens, and cannot be more")
    living = [each for each in accounts.sessions.values() if each.expires_at > now]
    kept = {each.digest for each in _newest(living)}
    sessions = {digest: each for digest, each in accounts.sessions.items() if digest in kept}
    if len(tokens) == len(accounts.tokens) and len(sessions) == len(accounts.sessions):
        return accounts
    return replace(accounts, tokens=MappingProxyType(tokens), sessions=MappingProxyType(sessions))


def _newest(sessions: Iterable[Session]) -> list[Session]:
    """The newest ten of each user, and of those the newest of all."""
    of, kept = Counter[str](), []
    for session in sorted(sessions, key=lambda each: each.begun_at, reverse=True):
        of[session.user] += 1
        if of[session.user] <= MAX_SESSIONS_EACH:
            kept.append(session)
    return kept[:MAX_SESSIONS]
