"""The audit: who did what."""

from typing import Annotated

from pydantic import ConfigDict, Field

from streamer.http.bodies.body import Body

MOST = 500
"""Deeds in one answer."""

Moment = Annotated[float, Field(ge=0, lt=1e11)]
"""Seconds since 1970."""


class Search(Body):
    """What `GET /api/audit` is asked for."""

    model_config = ConfigDict(strict=False, validate_by_alias=True)

    who: str | None = None
    """Did it, exactly."""
    what: str | None = None
    """Was done: `user add`, or `user` for all that begin with this word."""
    since: Annotated[Moment | None, Field(alias="from")] = None
    """Not before."""
    until: Annotated[Moment | None, Field(alias="to")] = None
    """Before."""
    cursor: str | None = None
    """As the answer before had it."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


class ListedDeed(Body):
    """One deed."""

    at: float
    """Seconds since 1970."""
    who: str
    what: str
    target: str
    """Whom or what it was done to."""
    address: str
    """From where."""
    ok: bool
    """Whether it was done; false: it was tried."""
    detail: str


class Deeds(Body):
    """The answer of `GET /api/audit`."""

    deeds: tuple[ListedDeed, ...]
    """The newest first."""
    cursor: str | None
    """Asks for those before; null: there are none."""
