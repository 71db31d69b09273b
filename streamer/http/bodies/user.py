"""Users, as administrators see and change them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.access.action import Role
from streamer.access.principal import EVERY_STREAM
from streamer.access.user_name import user_name
from streamer.http.bodies.body import Body, Patterns
from streamer.values.errors import ConfigError


def _user_name(text: str) -> str:
    try:
        return user_name(text)
    except ConfigError as error:
        raise ValueError(str(error)) from None


UserName = Annotated[str, AfterValidator(_user_name)]


class NewUser(Body):
    """`POST /api/users`."""

    name: UserName
    role: Role
    streams: Patterns = EVERY_STREAM
    password: str | None = None
    """null: signs in elsewhere only."""


class UserChange(Body):
    """`PATCH /api/users/{user}`: what is not in it stays."""

    role: Role | None = None
    streams: Patterns | None = None
    password: str | None = None
    """null takes it away: he signs in elsewhere only."""


class ListedUser(Body):
    """One of `GET /api/users`."""

    name: str
    role: Role
    streams: tuple[str, ...]
    password: bool
    """Whether he has one."""
    created_at: float
    """Seconds since 1970."""
    sessions: Annotated[int, Field(ge=0)]
    """Browsers he is signed in at."""
