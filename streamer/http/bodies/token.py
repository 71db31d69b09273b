"""API tokens, as administrators see and make them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.access.action import Action
from streamer.access.principal import EVERY_STREAM
from streamer.access.user_name import LONGEST, token_name
from streamer.http.bodies.body import Body, Patterns
from streamer.values.errors import ConfigError


def _token_name(text: str) -> str:
    try:
        return token_name(text)
    except ConfigError as error:
        raise ValueError(str(error)) from None


class NewToken(Body):
    """`POST /api/tokens`."""

    name: Annotated[str, Field(max_length=LONGEST), AfterValidator(_token_name)]
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=len(Action))]
    streams: Patterns = EVERY_STREAM
    expires_at: Annotated[float, Field(gt=0, lt=1e11, allow_inf_nan=False)] | None = None
    """Seconds since 1970; null: never."""


class ListedToken(Body):
    """One of `GET /api/tokens`."""

    id: str
    name: str
    actions: tuple[Action, ...]
    streams: tuple[str, ...]
    expires_at: float | None
    created_at: float
    created_by: str
    used_at: float | None
    """To the minute; null: never."""


class MadeToken(ListedToken):
    """The answer of `POST /api/tokens`."""

    secret: str
    """Shown this once: it is kept nowhere."""
