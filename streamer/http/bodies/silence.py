"""Silences: for a time nobody is told."""

from typing import Annotated

from pydantic import Field

from streamer.http.bodies.body import Body
from streamer.values.name import NAME

SHORTEST, LONGEST = 60, 30 * 86_400
"""Seconds of a silence."""

Named = Annotated[str, Field(pattern=f"^{NAME}$")]


class NewSilence(Body):
    """`POST /api/silences`: with neither rule nor stream, everything; with both, that rule about that stream."""

    seconds: Annotated[int, Field(ge=SHORTEST, le=LONGEST)]
    """From now on."""
    rule: Named | None = None
    stream: Named | None = None


class ShownSilence(Body):
    """One that is in force."""

    id: str
    """A UUIDv7."""
    until: float
    """Seconds since 1970, UTC."""
    rule: str | None
    """Null: whatever the rule."""
    stream: str | None
    """Null: whatever the stream."""
    by: str
    """Who made it, as the audit has it."""
    made_at: float
    may_end: bool
    """Whether whoever asks may end it before its time."""


class ShownSilences(Body):
    """The answer of `GET /api/silences`."""

    silences: tuple[ShownSilence, ...]
    """Those in force, the last to end first."""
