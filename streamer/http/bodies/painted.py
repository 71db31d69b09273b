"""What a page says of the pictures it has shown, and what it is told of the clock."""

from typing import Annotated

from pydantic import Field

from streamer.http.bodies.body import Body

MOST = 128
"""Pictures in one report: two seconds of 60 a second, and some."""

Moment = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
"""Milliseconds of the page's own clock, `performance.now()`."""
Painted = tuple[Annotated[int, Field(ge=-(1 << 53), le=1 << 53)], Moment | None, Moment]
"""A picture's RTP timestamp, or its `time` where it came as the camera sent it; when the browser had received it, or
null; when it was on the screen."""


class PaintedReport(Body):
    """What `POST …/painted` carries."""

    sent: Moment
    """When the page sends it."""
    offset: Moment | None = None
    """Milliseconds to add to the page's clock to have the session's, after the exchange of the shortest round trip
    lately; null before the first."""
    round_trip: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    """Milliseconds of that round trip, without the service's own time."""
    frames: Annotated[tuple[Painted, ...], Field(max_length=MOST)] = ()
    """What was seen since the last report; without an offset nothing."""


class PaintedAnswer(Body):
    """What it is answered. Milliseconds of the session's own clock, which began with it."""

    received: float
    """When the report came."""
    answered: float
    """When this left."""
    taken: int
    """Pictures that count: those whose answer the model has given."""
    ignored: int
    """Pictures of which it said what cannot be."""
