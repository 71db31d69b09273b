"""streamer.access.bounds: what has ended goes, and nobody fills the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import ACTIONS, Role
from streamer.access.bounds import MAX_SESSIONS_EACH, MAX_TOKENS, MAX_USERS, bounded
from streamer.values.errors import Refused

SESSIONS = st.builds(
    Session, st.uuids().map(str), st.just("id"), st.sampled_from(["anna", "ben"]), st.floats(0, 9), st.floats(0, 20)
)


@given(st.lists(SESSIONS, max_size=60) | st.lists(SESSIONS, min_size=30, max_size=60), st.floats(0, 5))
def test_each_keeps_his_newest_sessions(sessions: list[Session], now: float) -> None:
    """What is kept is alive, at most ten a user, and no living one of his that went was newer; twice is as once."""
    accounts = Accounts(sessions={each.digest: each for each in sessions})
    kept = bounded(accounts, now)
    assert bounded(kept, now) is kept
    for user in ("anna", "ben"):
        living = [each for each in sessions if each.user == user and each.expires_at > now]
        his = [each for each in kept.sessions.values() if each.user == user]
        assert len(his) == min(MAX_SESSIONS_EACH, len(living))
        gone = [each for each in living if each not in his]
        assert max((each.begun_at for each in gone), default=0) <= min((each.begun_at for each in his), default=10)


def test_users_and_tokens_are_chosen_by_people() -> None:
    """One more than there may be is refused, and drops none of the others."""
    users = Accounts(users={str(number): User(str(number), Role.VIEWER) for number in range(MAX_USERS + 1)})
    with pytest.raises(Refused, match="there are 10000 users, and cannot be more"):
        bounded(users, 0.0)
    tokens = Accounts(tokens={str(n): Token(str(n), str(n), str(n), ACTIONS) for n in range(MAX_TOKENS + 1)})
    with pytest.raises(Refused, match="there are 1000 tokens, and cannot be more"):
        bounded(tokens, 0.0)
