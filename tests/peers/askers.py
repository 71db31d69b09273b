"""Everybody who may ask the API, in a file that a service starts from: nobody, users by role, tokens by action."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import Action, Role
from streamer.access.credential import digest
from streamer.access.password import hashed_now
from streamer.access.store import Store

DAY = 86_400.0
PASSWORD = "the same of all users"
GUEST = "guest {of {nobody}"
"""A user who asks nothing, with a name that is hard to write in a path."""
SPARE = "5fa7e"
"""The id of a token that nobody shows, and of a session of each user."""


@dataclass
class Asker:
    """One of them."""

    name: str
    actions: frozenset[Action]
    shown: list[Mapping[str, str]] = field(default_factory=lambda: [{}])
    """Request headers, each of which says who asks; a user has several names, for he may sign himself out."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Those to ask with."""
        return self.shown[-1]

    def is_signed_out(self) -> None:
        """Go on under another name, where there is one."""
        if len(self.shown) > 1:
            self.shown.pop()


def write_askers(config: Path, *, names: int = 40) -> list[Asker]:
    """Keep all of them, users by so many names, beside the configuration that a service is to start from."""
    password, accounts = hashed_now(PASSWORD), Accounts()
    accounts = accounts.with_user(User(GUEST, Role.VIEWER, password=password))
    askers = [Asker("nobody", frozenset())]
    for role in Role:
        user = Asker(f"a user who is {role}", role.actions, [])
        for number in range(names):
            name, cookie = f"{role}-{number}", f"cookie-of-{role}-{number}"
            accounts = accounts.with_user(User(name, role, password=password))
            accounts = accounts.with_session(_session(cookie, f"{role}{number}", name))
            accounts = accounts.with_session(_session(f"another-{cookie}", SPARE, name))
            user.shown.append({"Cookie": f"sightline={cookie}"})
        askers.append(user)
    accounts = accounts.with_token(Token(SPARE, "spare", digest("nobody's"), frozenset(Action)))
    for action in Action:
        secret = f"slt_{action}"
        accounts = accounts.with_token(Token(action.value, f"to {action}", digest(secret), frozenset({action})))
        askers.append(Asker(f"a token to {action}", frozenset({action}), [{"Authorization": f"Bearer {secret}"}]))
    Store(config.with_suffix(".access.json")).change_now(lambda _: accounts)
    return askers


def _session(cookie: str, id_: str, user: str) -> Session:
    return Session(digest(cookie), id_, user, time.time(), time.time() + DAY)
