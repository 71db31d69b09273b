"""Videos of recordings with boxes drawn into them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from streamer.http.bodies.body import Body
from streamer.http.bodies.event import Words
from streamer.http.bodies.recording import When


class NewRender(Body):
    """What is to be rendered."""

    model_config = ConfigDict(validate_by_alias=True)

    since: Annotated[When, Field(alias="from")]
    """Where it begins."""
    until: Annotated[When, Field(alias="to")]
    """Where it ends: half an hour later at the most."""
    labels: Annotated[tuple[Words, ...], Field(max_length=100)] = ()
    """Classes whose boxes are drawn; empty: all."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    """From which score on."""


class ShownRender(Body):
    """One of them. Times are seconds since 1970, UTC."""

    id: str
    stream: str
    since: Annotated[float, Field(alias="from")]
    until: Annotated[float, Field(alias="to")]
    labels: tuple[str, ...]
    min_score: float
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: float
    """0 to 1."""
    reason: str | None
    """Why it failed, as a sentence."""
    size: int | None
    """Bytes; null until it is done."""
    made_at: float
    """When it was asked for."""
    url: str | None
    """Where it is; null until it is done."""


class ShownRenders(Body):
    """All of a stream, the newest first."""

    renders: tuple[ShownRender, ...]
