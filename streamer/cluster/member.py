"""A replica as the others know it."""

import secrets
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streamer.values.errors import SightlineError
from streamer.values.name import NAME

MOST_CAPACITY = 100_000
"""Streams."""


MOST_CANNOT = 1000
"""Names that a record holds of what its member cannot run."""


class Unreadable(SightlineError):
    """A record in the bucket is none of ours, or of a version that has changed it."""


class Member(BaseModel):
    """What one writes of itself every second. What it does not know of a newer version's, it leaves out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    """The same after a restart: what streams are spread by."""
    life: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    """Another after a restart: what it owned before, it does not run any more."""
    url: str
    """Where the others reach it."""
    capacity: Annotated[int, Field(ge=1, le=MOST_CAPACITY)]
    """Streams that it may well carry, beside the others': twice as many are twice the share."""
    load: Annotated[int, Field(ge=0)] = 0
    """Streams that it runs."""
    version: str = ""
    labels: dict[str, str] = {}
    cannot: Annotated[frozenset[str], Field(max_length=MOST_CANNOT)] = frozenset()
    """Streams that it cannot run: a variable that their settings name is not set there."""

    @property
    def id(self) -> str:
        """One life of it."""
        return f"{self.name}-{self.life}"

    def record(self) -> bytes:
        """As it stands in the bucket: JSON."""
        return self.model_dump_json().encode()


def new_life() -> str:
    """Begin one: 8 hexadecimal digits."""
    return secrets.token_hex(4)


def member_of(record: bytes) -> Member:
    """Read what a replica wrote.

    Raises:
        Unreadable: it is none.
    """
    try:
        return Member.model_validate_json(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise Unreadable(f"a member's record cannot be read: {where}: {first['msg']}") from None
