"""Users, tokens and sessions: one document, which is never changed but replaced by its successor. Pure.

Times are UTC, seconds since 1970: they are kept for the next start, as JSON, which knows no infinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import FiniteFloat

from streamer.access.action import Action, Role
from streamer.access.principal import EVERY_STREAM, Grant


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in."""

    name: str
    role: Role
    streams: tuple[str, ...] = EVERY_STREAM
    password: str | None = field(default=None, repr=False)
    """Its argon2id hash; None: signs in elsewhere only."""
    created_at: FiniteFloat = 0.0

    @property
    def grant(self) -> Grant:
        """What he may."""
        return Grant(self.role.actions, self.streams)


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows. The secret itself is kept nowhere."""

    id: str
    """Short, for people and paths."""
    name: str
    digest: str = field(repr=False)
    actions: frozenset[Action]
    streams: tuple[str, ...] = EVERY_STREAM
    expires_at: FiniteFloat | None = None
    created_at: FiniteFloat = 0.0
    created_by: str = ""
    used_at: FiniteFloat | None = None
    """To the minute."""

    @property
    def grant(self) -> Grant:
        """What whoever shows it may."""
        return Grant(self.actions, self.streams)


@dataclass(frozen=True, slots=True)
class Session:
    """A user signed in at one browser."""

    digest: str = field(repr=False)
    """Of the cookie."""
    id: str
    """Short, for people and paths."""
    user: str
    begun_at: FiniteFloat
    expires_at: FiniteFloat
    address: str = ""
    agent: str = ""
    """The browser, as it calls itself; at most 200 characters."""
    grants: tuple[Grant, ...] | None = None
    """What OpenID Connect's groups gave; None: what the user of that name may, who must exist."""


Entry = TypeVar("Entry", User, Token, Session)


@dataclass(frozen=True)
class Accounts:
    """All of them."""

    users: Mapping[str, User] = field(default_factory=lambda: MappingProxyType({}))
    """By name."""
    tokens: Mapping[str, Token] = field(default_factory=lambda: MappingProxyType({}))
    """By digest."""
    sessions: Mapping[str, Session] = field(default_factory=lambda: MappingProxyType({}))
    """By digest."""
    link_key: str = field(default="", repr=False)
    """What links are signed with, in hex; "" before the first."""

    def with_user(self, user: User) -> "Accounts":
        """With this user, instead of who had the name."""
        return replace(self, users=_with(self.users, user.name, user))

    def without_user(self, name: str) -> "Accounts":
        """Without that user and his sessions."""
        return replace(self.signed_out(name), users=_without(self.users, name))

    def with_token(self, token: Token) -> "Accounts":
        """With this token."""
        return replace(self, tokens=_with(self.tokens, token.digest, token))

    def without_token(self, id_: str) -> "Accounts":
        """Without the token of that id."""
        gone = [each.digest for each in self.tokens.values() if each.id == id_]
        return replace(self, tokens=_without(self.tokens, *gone))

    def with_session(self, session: Session) -> "Accounts":
        """With this session."""
        return replace(self, sessions=_with(self.sessions, session.digest, session))

    def without_session(self, *digests: str) -> "Accounts":
        """Without these sessions."""
        return replace(self, sessions=_without(self.sessions, *digests))

    def signed_out(self, user: str, *, but: str | None = None) -> "Accounts":
        """Without the sessions of a user; `but` the one of that digest."""
        gone = [each.digest for each in self.sessions.values() if each.user == user and each.digest != but]
        return self.without_session(*gone)


def _with(entries: Mapping[str, Entry], key: str, entry: Entry) -> Mapping[str, Entry]:
    return MappingProxyType({**entries, key: entry})


def _without(entries: Mapping[str, Entry], *keys: str) -> Mapping[str, Entry]:
    return MappingProxyType({key: entry for key, entry in entries.items() if key not in keys})
